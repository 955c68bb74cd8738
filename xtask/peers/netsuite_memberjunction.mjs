// MemberJunction's NetSuite connector (npm @memberjunction/connector-netsuite) against the sandbox, by both
// of its ways to sign in: OAuth 1.0a signatures, and a bearer token that was bought with an assertion.

import { createPrivateKey, randomUUID, sign } from 'node:crypto';
import { IntegrationEngineBase } from '@memberjunction/integration-engine-base';
import { NetSuiteConnector } from '@memberjunction/connector-netsuite';
import { day, equal, holds, sandbox, walk } from './report.mjs';

const INTEGRATION = '00000000-0000-4000-8000-000000000002';
const service = sandbox.netsuite;
const token = service['netsuite-tba'];

const company = (name, fields) => ({
  ID: name,
  IntegrationID: INTEGRATION,
  Configuration: JSON.stringify({ AccountID: service.account, HostBaseURL: service.base_url, ...fields }),
});
const SIGNED = company('signed', {
  AuthFlow: 'oauth1-tba',
  ConsumerKey: token.consumer_key,
  ConsumerSecret: token.consumer_secret,
  TokenID: token.token_id,
  TokenSecret: token.token_secret,
});

/** What the connector's own product keeps in its database: an object's paths and verbs. */
const OBJECTS = [
  { name: 'Vendor', record: 'vendor', table: 'vendor' },
  { name: 'Vendor Bill', record: 'vendorBill', table: 'transaction' },
  { name: 'Account', record: 'account', table: 'account' },
  { name: 'Absent', record: 'absent', table: 'absent' },
];
const engine = IntegrationEngineBase.Instance;
engine._integrationObjects = OBJECTS.map(({ name, record, table }, index) => ({
  ID: `00000000-0000-4000-8000-00000000020${index}`,
  IntegrationID: INTEGRATION,
  Status: 'Active',
  Sequence: index,
  Name: name,
  APIPath: `/services/rest/record/v1/${record}`,
  Configuration: JSON.stringify({ recordTypeSlug: record, suiteQLTable: table }),
  DefaultPageSize: 50,
  IncrementalWatermarkField: 'lastmodifieddate',
  CreateAPIPath: `/services/rest/record/v1/${record}`,
  CreateMethod: 'POST',
  CreateBodyShape: 'flat',
  CreateIDLocation: 'header',
  UpdateAPIPath: `/services/rest/record/v1/${record}/{id}`,
  UpdateMethod: 'PATCH',
  UpdateBodyShape: 'flat',
  UpdateIDLocation: 'path',
  DeleteAPIPath: `/services/rest/record/v1/${record}/{id}`,
  DeleteMethod: 'DELETE',
  DeleteIDLocation: 'path',
}));
engine._integrationObjectFields = engine._integrationObjects.map((object) => ({
  IntegrationObjectID: object.ID,
  Name: 'id',
  IsPrimaryKey: true,
  Status: 'Active',
  Sequence: 0,
}));

/** Buys an access token as Oracle's help describes it. */
async function bearer() {
  const { client_id, certificate_id, private_key_pem } = service['netsuite-m2m'];
  const now = Math.floor(Date.now() / 1000);
  const label = service.account.toLowerCase().replace('_', '-');
  const words = [
    { typ: 'JWT', alg: 'ES256', kid: certificate_id },
    {
      iss: client_id,
      scope: ['rest_webservices'],
      aud: `https://${label}.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token`,
      iat: now,
      exp: now + 300,
      jti: randomUUID(),
    },
  ].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const signature = sign('sha256', Buffer.from(words), { key: createPrivateKey(private_key_pem), dsaEncoding: 'ieee-p1363' });
  const answer = await fetch(`${service.base_url}/services/rest/auth/oauth2/v1/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: `${words}.${signature.toString('base64url')}`,
    }),
  });
  return { status: answer.status, body: await answer.json() };
}

/** Reads all of an object, page after page. */
async function all(connector, CompanyIntegration, ObjectName, WatermarkValue) {
  const records = [];
  let pages = 0;
  let AfterKeyValue = null;
  let watermark;
  do {
    const page = await connector.FetchChanges({ CompanyIntegration, ObjectName, WatermarkValue, AfterKeyValue });
    records.push(...page.Records);
    AfterKeyValue = page.HasMore ? page.NextAfterKeyValue : null;
    watermark = page.NewWatermarkValue;
    pages += 1;
  } while (AfterKeyValue);
  return { records, pages, watermark };
}

await walk('@memberjunction/connector-netsuite', async () => {
  const connector = new NetSuiteConnector();
  const signed = await connector.TestConnection(SIGNED, undefined);
  holds('signs in by signature', signed.Success && /server time 2/.test(signed.Message), signed);
  const forged = company('forged', { ...JSON.parse(SIGNED.Configuration), TokenSecret: 'wrong' });
  const stranger = await new NetSuiteConnector().TestConnection(forged, undefined);
  holds('a wrong secret is 401', !stranger.Success && /401/.test(stranger.Message), stranger);
  const bought = await bearer();
  equal('buys a token', [bought.status, bought.body.token_type?.toLowerCase(), Number(bought.body.expires_in)], [200, 'bearer', 3600]);
  const BEARER = company('bearer', { AuthFlow: 'oauth2', AccessToken: bought.body.access_token });
  const carried = await connector.TestConnection(BEARER, undefined);
  holds('signs in by token', carried.Success, carried);
  const expired = await new NetSuiteConnector().TestConnection(company('x', { AuthFlow: 'oauth2', AccessToken: 'not.a.token' }), undefined);
  holds('a token that isn\'t one is 401', !expired.Success && /401/.test(expired.Message), expired);

  // What is there.
  const objects = await connector.DiscoverObjects(SIGNED, undefined);
  for (const name of ['vendorPayment', 'journalEntry', 'subsidiary']) {
    holds(`the catalog names ${name}`, objects.some((object) => object.Name.toLowerCase() === name.toLowerCase()), objects.map((object) => object.Name));
  }
  const fields = await connector.DiscoverFields(SIGNED, 'Vendor Bill', undefined);
  holds('a bill\'s fields are described', fields.some((field) => field.Name === 'tranId'), fields.map((field) => field.Name));

  // Reading by keyset over SELECT *.
  for (const [CompanyIntegration, way] of [[SIGNED, 'signed'], [BEARER, 'by token']]) {
    const { records, pages } = await all(connector, CompanyIntegration, 'Vendor Bill');
    holds(`reads all transactions ${way}, in pages`, pages > 3 && records.length > 100, [pages, records.length]);
    equal(`reads none of them twice ${way}`, new Set(records.map((record) => record.ExternalID)).size, records.length);
  }
  const vendors = await all(connector, SIGNED, 'Vendor');
  const vendor = vendors.records.find((record) => record.Fields.isinactive === 'F').Fields;
  holds('a vendor\'s columns are text', Object.values(vendor).every((value) => typeof value === 'string' || Array.isArray(value)), vendor);
  const accounts = (await all(connector, SIGNED, 'Account')).records.map((record) => record.Fields);
  const again = await all(connector, SIGNED, 'Vendor Bill', '2999-01-01T00:00:00.000Z');
  equal('nothing has changed since the future', again.records.length, 0);
  let absent;
  await all(connector, SIGNED, 'Absent').catch((error) => (absent = error));
  holds('a table that isn\'t there is 400', /HTTP 400/.test(absent?.message ?? ''), absent?.message);

  // Writing.
  const expense = accounts.find((account) => account.accttype === 'Expense' && account.issummary === 'F' && account.isinactive === 'F');
  const [bill] = (await all(connector, SIGNED, 'Vendor Bill')).records.map((record) => record.Fields).filter((row) => row.type === 'VendBill');
  const before = await connector.GetRecord({ CompanyIntegration: SIGNED, ObjectName: 'Vendor Bill', ExternalID: bill.id });
  equal('a bill has one id both ways', before.Fields.id, bill.id);
  const Attributes = {
    entity: { id: bill.entity },
    subsidiary: { id: before.Fields.subsidiary.id },
    tranId: 'FOREIGN-MJ',
    tranDate: day(0),
    expense: { items: [{ account: { id: expense.id }, amount: 12.34 }] },
  };
  const about = { CompanyIntegration: BEARER, ObjectName: 'Vendor Bill' };
  const made = await connector.CreateRecord({ ...about, Attributes });
  holds('makes a bill and reads its id from the header', made.Success && made.StatusCode === 204 && /^\d+$/.test(made.ExternalID), made);
  const named = { ...about, ExternalID: made.ExternalID };
  const changed = await connector.UpdateRecord({ ...named, Attributes: { memo: 'foreign' } });
  equal('changes it', [changed.Success, changed.StatusCode], [true, 204]);
  const read = (await connector.GetRecord(named)).Fields;
  equal('reads it', [read.memo, read.total, read.tranId], ['foreign', 12.34, 'FOREIGN-MJ']);
  equal('deletes it', (await connector.DeleteRecord(named)).StatusCode, 204);
  let missing;
  await connector.GetRecord(named).catch((error) => (missing = error));
  holds('a deleted bill is 400, not 404', /HTTP 400/.test(missing?.message ?? ''), missing?.message);
  equal('a vendor that never was is nothing', await connector.GetRecord({ ...about, ObjectName: 'Vendor', ExternalID: '99999999' }), null);
  const refused = await connector.CreateRecord({ ...about, Attributes: { ...Attributes, entity: undefined } });
  equal('a bill of nobody is 400', [refused.Success, refused.StatusCode], [false, 400]);
});
