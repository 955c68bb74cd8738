// MemberJunction's BILL connector (npm @memberjunction/connector-bill-com) against the sandbox.
//
// The connector is driven by descriptions of objects that its own product keeps in a database; the ones
// here name paths of BILL's public v3 API. Session, transport, paging, re-login and the reading of errors
// are the connector's.

import { IntegrationEngineBase } from '@memberjunction/integration-engine-base';
import { BillComConnector } from '@memberjunction/connector-bill-com';
import { day, equal, holds, sandbox, walk } from './report.mjs';

const INTEGRATION = '00000000-0000-4000-8000-000000000001';

const service = sandbox.bill;
const connector = new BillComConnector();

function company(changes = {}) {
  const configuration = {
    username: service.bill.username,
    password: service.bill.password,
    organizationId: service.organization,
    devKey: service.bill.dev_key,
    apiUrl: service.base_url,
    ...changes,
  };
  return { IntegrationID: INTEGRATION, Configuration: JSON.stringify(configuration) };
}

const COMPANY = company();

function describe(objects) {
  const engine = IntegrationEngineBase.Instance;
  engine._integrationObjects = objects.map((object, index) => ({
    ID: `00000000-0000-4000-8000-0000000001${String(index).padStart(2, '0')}`,
    IntegrationID: INTEGRATION,
    Status: 'Active',
    Sequence: index,
    APIPath: object.path,
    Name: object.name,
    ResponseDataKey: 'results',
    SupportsPagination: true,
    PaginationType: 'Cursor',
    DefaultPageSize: object.page ?? 100,
    DefaultQueryParams: object.query ? JSON.stringify(object.query) : null,
    CreateAPIPath: object.path,
    CreateMethod: 'POST',
    CreateBodyShape: 'flat',
    CreateIDLocation: 'body',
    UpdateAPIPath: `${object.path}/{id}`,
    UpdateMethod: object.update ?? 'PATCH',
    UpdateBodyShape: 'flat',
    UpdateIDLocation: 'path',
  }));
  engine._integrationObjectFields = engine._integrationObjects.map((object) => ({
    IntegrationObjectID: object.ID,
    Name: 'id',
    IsPrimaryKey: true,
    Status: 'Active',
    Sequence: 0,
  }));
}

describe([
  { name: 'vendors', path: '/v3/vendors', page: 7 },
  { name: 'bills', path: '/v3/bills', page: 100 },
  { name: 'bills replaced', path: '/v3/bills', update: 'PUT' },
  { name: 'bill payments', path: '/v3/bills/record-payment' },
  { name: 'payments', path: '/v3/payments' },
  { name: 'accounts', path: '/v3/classifications/chart-of-accounts' },
  { name: 'departments', path: '/v3/classifications/departments' },
  { name: 'vendor credits', path: '/v3/vendor-credits' },
  { name: 'customers', path: '/v3/customers' },
  { name: 'invoices', path: '/v3/invoices', update: 'PUT' },
  { name: 'receivable-payments', path: '/v3/receivable-payments' },
]);

const about = (name) => ({ CompanyIntegration: COMPANY, ContextUser: undefined, ObjectName: name });
const create = (name, Attributes) => connector.CreateRecord({ ...about(name), Attributes });
const update = (name, ExternalID, Attributes) =>
  connector.UpdateRecord({ ...about(name), ExternalID, Attributes });
const get = async (name, ExternalID) =>
  (await connector.GetRecord({ ...about(name), ExternalID }))?.Fields ?? null;
const list = async (name) =>
  (await connector.FetchChanges(about(name))).Records.map((record) => record.Fields);

/** A call that the connector's catalog has no verb for, by its own transport. */
async function call(method, path, body) {
  const session = await connector.Authenticate(COMPANY, undefined);
  const address = connector.GetBaseURL(COMPANY, session) + path;
  return connector.MakeHTTPRequest(session, address, method, connector.BuildHeaders(session), body);
}

const address = { line1: '1 Foreign Way', city: 'Springfield', stateOrProvince: 'IL', zipOrPostalCode: '62701', country: 'US' };

await walk('@memberjunction/connector-bill-com', async () => {
  // Signing in.
  const connected = await connector.TestConnection(COMPANY, undefined);
  holds('signs in', connected.Success, connected);
  const stranger = await new BillComConnector().TestConnection(company({ password: 'wrong' }), undefined);
  holds('a wrong password is BDC_1101', !stranger.Success && /BDC_1101/.test(stranger.Message), stranger);
  const other = await new BillComConnector().TestConnection(company({ devKey: 'unknown' }), undefined);
  holds('a wrong developer key is BDC_1102', !other.Success && /BDC_1102/.test(other.Message), other);
  const versioned = await new BillComConnector().TestConnection(company({ apiUrl: `${service.base_url}/v3/` }), undefined);
  holds('signs in by an address that ends in its version', versioned.Success, versioned);
  const session = await call('GET', '/v3/login/session');
  equal('the session tells its organization', session.Body.organizationId, service.organization);

  // Lists and pages.
  const accounts = await list('accounts');
  const expense = accounts.find((account) => account.account?.type === 'EXPENSE');
  holds('lists accounts', expense, accounts[0]);
  equal('one bill too many on a page is 400', (await call('GET', '/v3/bills?max=101')).Status, 400);
  equal('no bill on a page is 400', (await call('GET', '/v3/bills?max=0')).Status, 400);
  const unfiltered = await call('GET', '/v3/bills?filters=invoice.invoiceNumber:eq:1');
  equal('an unknown filter is BDC_1130', [unfiltered.Status, unfiltered.Body[0]?.code], [400, 'BDC_1130']);
  const unordered = await call('GET', '/v3/vendors?filters=name:gt:A');
  equal('a filter by another word is BDC_1131', [unordered.Status, unordered.Body[0]?.code], [400, 'BDC_1131']);

  // Vendors.
  const bare = await create('vendors', { name: 'Foreign Tools', accountType: 'BUSINESS' });
  equal('a vendor without an address is refused in words', [bare.StatusCode, bare.ErrorMessage], [400, 'address: must not be null']);
  const made = await create('vendors', { name: 'Foreign Tools', accountType: 'BUSINESS', address });
  holds('makes a vendor', made.Success && made.StatusCode === 201 && made.ExternalID.startsWith('009'), made);
  const vendor = made.ExternalID;
  equal('reads it', (await get('vendors', vendor)).address.city, 'Springfield');
  const renamed = await update('vendors', vendor, { name: 'Foreign Tools & Dies', email: 'ap@foreign.example' });
  holds('changes it', renamed.Success, renamed);
  const named = (await call('GET', `/v3/vendors?${new URLSearchParams({ filters: 'name:eq:Foreign Tools & Dies', max: '5' })}`)).Body;
  equal('finds it by its name', named.results?.map((found) => found.id), [vendor]);
  const started = (await call('GET', `/v3/vendors?${new URLSearchParams({ filters: 'name:sw:"Foreign T"' })}`)).Body;
  equal('finds it by how its name starts', started.results?.map((found) => found.id), [vendor]);
  const several = await call('POST', '/v3/vendors/bulk', [1, 2].map((n) => ({ name: `Bulk ${n}`, accountType: 'BUSINESS', address })));
  equal('makes two vendors at once', [several.Status, several.Body.vendors?.length], [201, 2]);
  const more = await call('POST', '/v3/vendors/bulk', Array.from({ length: 20 }, (_, n) => ({ name: `Paged ${n}`, accountType: 'BUSINESS', address })));
  equal('makes twenty vendors at once', more.Body.vendors?.length, 20);
  const over = await call('POST', '/v3/vendors/bulk', Array.from({ length: 21 }, (_, n) => ({ name: `Over ${n}`, accountType: 'BUSINESS', address })));
  equal('twenty-one are too many', over.Status, 400);
  const few = await list('vendors');
  const many = (await call('GET', '/v3/vendors?max=100')).Body;
  holds('there are more vendors than on a page', few.length > 20, few.length);
  equal('pages of seven hold what a page of a hundred holds', few.length, many.results.length);
  equal('no vendor is on two pages', new Set(few.map((vendor) => vendor.id)).size, few.length);
  const aside = several.Body.vendors[0].id;
  for (const [verb, archived] of [['archive', true], ['archive', true], ['restore', false]]) {
    const answer = await call('POST', `/v3/vendors/${aside}/${verb}`);
    equal(`${verb}s a vendor`, [answer.Status, answer.Body.archived], [200, archived]);
  }
  equal('a vendor that never was is nothing', await get('vendors', '00901XXXXXXXXXXXXXXX'), null);
  const nobody = await call('GET', '/v3/vendors/non-existent-id');
  equal('an id that is no id is BDC_1205', [nobody.Status, nobody.Body[0]?.code], [404, 'BDC_1205']);

  // Bills.
  const bill = (number, amount, more = {}) => ({
    vendorId: vendor,
    dueDate: day(30),
    invoice: { invoiceNumber: number, invoiceDate: day(0) },
    billLineItems: [{ amount, description: 'Foreign', classifications: { chartOfAccountId: expense.id } }],
    ...more,
  });
  const billed = await create('bills', bill('F-1', 228.99));
  holds('makes a bill', billed.Success && billed.ExternalID.startsWith('00n'), billed);
  const read = await get('bills', billed.ExternalID);
  equal('its amounts are numbers', [read.amount, read.dueAmount, read.paidAmount], [228.99, 228.99, 0]);
  equal('it is unpaid', [read.paymentStatus, read.vendorName], ['UNPAID', 'Foreign Tools & Dies']);
  const empty = await create('bills', { vendorId: vendor, dueDate: day(30) });
  equal('a bill without invoice and lines is 400', empty.StatusCode, 400);
  for (const missing of ['invoice: must not be null', 'billLineItems: must not be']) {
    holds(`it is told: ${missing}`, empty.ErrorMessage.includes(missing), empty);
  }
  const line = { id: read.billLineItems[0].id, amount: 230.5 };
  holds('changes a line', (await update('bills', billed.ExternalID, { billLineItems: [line] })).Success, line);
  equal('the total follows', (await get('bills', billed.ExternalID)).amount, 230.5);
  const replaced = await update('bills replaced', billed.ExternalID, bill('F-1b', 70.25));
  holds('replaces it', replaced.Success, replaced);
  const whole = await get('bills', billed.ExternalID);
  holds('a line that was left out is gone', whole.billLineItems.length === 1 && whole.billLineItems[0].id !== line.id, whole);
  const bulk = await call('POST', '/v3/bills/bulk', ['F-2', 'F-3', 'F-4'].map((number) => bill(number, 10)));
  holds('makes three bills at once, answered bare', bulk.Status === 201 && Array.isArray(bulk.Body) && bulk.Body.length === 3, bulk);
  const first = (await call('GET', '/v3/bills?max=2&sort=updatedTime:asc')).Body;
  holds('a first page has a next one and none before', first.nextPage && !first.prevPage, first);
  const second = (await call('GET', `/v3/bills?max=2&sort=updatedTime:asc&page=${encodeURIComponent(first.nextPage)}`)).Body;
  holds('a second page has one before', second.prevPage, second.prevPage);
  const bills = await list('bills');
  holds('there are bills on more than a page', bills.length > 2, bills.length);
  const dated = (await call('GET', `/v3/bills?max=100&filters=${encodeURIComponent('updatedTime:gte:2001-01-01T00:00:00.000Z')}&sort=updatedTime:asc`)).Body;
  equal('an unquoted time filters', dated.results?.length, Math.min(bills.length, 100));
  const half = await call('POST', '/v3/bills/bulk', [bill('F-5', 1), { ...bill('F-6', 1), vendorId: '00901XXXXXXXXXXXXXXX' }]);
  const theirs = (await call('GET', `/v3/bills?filters=${encodeURIComponent(`vendorId:eq:${vendor}`)}`)).Body.results;
  equal('one bad bill refuses all', [half.Status >= 400, theirs.length], [true, 4]);

  // Payments made elsewhere.
  const payment = { vendorId: vendor, processDate: day(0), toPrintCheck: false, payments: [{ billId: billed.ExternalID, amount: 20.25 }], syncReference: 'check 1001', allowExport: false };
  const paid = await create('bill payments', payment);
  holds('records a payment', paid.Success && paid.StatusCode === 200 && paid.ExternalID.startsWith('stp'), paid);
  const partly = await get('bills', billed.ExternalID);
  equal('the bill is partly paid', [partly.paidAmount, partly.dueAmount, partly.paymentStatus], [20.25, 50, 'PARTIALLY_PAID']);
  const listed = (await call('GET', `/v3/payments?filters=${encodeURIComponent(`vendorId:eq:${vendor}`)}`)).Body.results;
  equal('the payment is listed', listed.map((found) => [found.id, found.onlinePayment, found.syncReference]), [[paid.ExternalID, false, 'check 1001']]);
  const toomuch = await create('bill payments', { ...payment, payments: [{ billId: billed.ExternalID, amount: 1000 }] });
  holds('more than is due is refused', !toomuch.Success && toomuch.StatusCode >= 400, toomuch);
  const locked = await update('bills replaced', billed.ExternalID, bill('F-1b', 9999));
  holds('the total of a paid bill is locked', !locked.Success, locked);
  const incomplete = await create('bill payments', { vendorId: vendor });
  equal('a payment of nothing is 400', incomplete.StatusCode, 400);
  const bank = (await call('GET', '/v3/funding-accounts/banks')).Body.results[0];
  const online = await call('POST', '/v3/payments', { vendorId: vendor, billId: bulk.Body[0].id, amount: 10, fundingAccount: { type: 'BANK_ACCOUNT', id: bank.id }, processingOptions: { requestPayFaster: false } });
  equal('pays a bill online', [online.Status, online.Body.singleStatus, online.Body.amount], [201, 'SCHEDULED', 10]);
  const cancelled = await call('POST', `/v3/payments/${online.Body.id}/cancel`);
  equal('cancels it', cancelled.Status, 200);
  const after = (await call('GET', `/v3/payments/${online.Body.id}`)).Body;
  equal('one status has two Ls, the other one', [after.status, after.singleStatus], ['CANCELLED', 'CANCELED']);
  const voided = await call('POST', `/v3/payments/${paid.ExternalID}/void`, { type: 'VOID_ONLY', reason: 'Foreign' });
  holds('voids a recorded payment', voided.Status === 200 && voided.Body.voidInfo, voided);

  // A session that ended.
  connector.cachedAuth.SessionID = 'ended';
  equal('signs in again after a 401', (await call('GET', '/v3/vendors?max=1')).Status, 200);
  const dead = await connector.SendOnce(`${service.base_url}/v3/vendors`, 'GET', { sessionId: 'ended', devKey: service.bill.dev_key });
  equal('an ended session is BDC_1109', [dead.Status, dead.Body[0]?.code], [401, 'BDC_1109']);
  const lost = await call('GET', '/v3/no-such-thing');
  equal('a path that isn\'t there is BDC_1121', [lost.Status, lost.Body[0]?.code], [404, 'BDC_1121']);

  // Receivables, which the connector was made for.
  const customer = await create('customers', { name: 'Foreign Buyer', email: 'buyer@foreign.example' });
  holds('makes a customer', customer.Success && customer.ExternalID.startsWith('0cu'), customer);
  const nothing = await create('invoices', {});
  equal('an invoice of nothing is told every field', nothing.ErrorMessage?.split('; ').sort(), ['customer: must not be null', 'invoiceLineItems: must not be null']);
  const invoice = await create('invoices', { customer: { id: customer.ExternalID }, invoiceNumber: 'FI-1', invoiceDate: day(0), dueDate: day(14), invoiceLineItems: [{ quantity: 2, price: 12.5, description: 'Foreign' }] });
  holds('makes an invoice', invoice.Success && invoice.ExternalID.startsWith('00e'), invoice);
  const twice = await create('invoices', { customer: { id: customer.ExternalID }, invoiceNumber: 'FI-1', invoiceDate: day(0), dueDate: day(14), invoiceLineItems: [{ quantity: 1, price: 1 }] });
  equal('its number is taken', twice.StatusCode, 422);
  const owed = await get('invoices', invoice.ExternalID);
  equal('reads it by customerId', [owed.customerId, owed.totalAmount, owed.dueAmount, owed.status], [customer.ExternalID, 25, 25, 'OPEN']);
  const archivedInvoice = { ...about('invoices'), ExternalID: invoice.ExternalID };
  holds('archives it', (await connector.ArchiveInvoice(archivedInvoice)).Success, null);
  holds('archives it again', (await connector.ArchiveInvoice(archivedInvoice)).Success, null);
  const gone = await get('invoices', invoice.ExternalID);
  equal('archived, it stays open', [gone.archived, gone.status, gone.recordStatus], [true, 'OPEN', 'INACTIVE']);
  holds('restores it', (await connector.RestoreInvoice(archivedInvoice)).Success, null);
  const received = await call('POST', '/v3/invoices/record-payment', { customerId: customer.ExternalID, paymentDate: day(0), paymentType: 'CHECK', amount: 25, invoices: [{ id: invoice.ExternalID, amount: 25 }] });
  holds('records what was received', received.Status >= 200 && received.Status < 300, received);
  const settled = await get('invoices', invoice.ExternalID);
  equal('it is paid', [settled.dueAmount, settled.status], [0, 'PAID_IN_FULL']);
  const receipts = (await call('GET', `/v3/receivable-payments?max=100&filters=${encodeURIComponent(`updatedTime:gte:"${day(-1)}T00:00:00.000Z"`)}&sort=updatedTime:asc`)).Body;
  holds('what was received is listed', receipts.results?.some((found) => found.customerId === customer.ExternalID), receipts);
  equal('signs out', (await call('POST', '/v3/logout')).Status, 200);
});
