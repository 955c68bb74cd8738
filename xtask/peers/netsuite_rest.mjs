// The client netsuite-rest (npm) against the sandbox: OAuth 1.0a, SuiteQL and records.

import NetsuiteRest from 'netsuite-rest';
import { day, equal, holds, refused, sandbox, walk } from './report.mjs';

const service = sandbox.netsuite;
const token = service['netsuite-tba'];

function client(changes = {}) {
  return new NetsuiteRest({
    consumer_key: token.consumer_key,
    consumer_secret_key: token.consumer_secret,
    token: token.token_id,
    token_secret: token.token_secret,
    realm: service.account,
    base_url: service.base_url,
    ...changes,
  });
}

const netsuite = client();
const query = (q, page = '') =>
  netsuite.request({ path: `query/v1/suiteql${page}`, method: 'POST', body: JSON.stringify({ q }) });
const rows = async (q, page) => (await query(q, page)).data.items;
const record = (path, method, body) =>
  netsuite.request({ path: `record/v1/${path}`, method, body: body && JSON.stringify(body) });

/** The first detail of the answer that a refusal carried. */
function detail(error) {
  const body = JSON.parse(error.response?.body ?? '{}');
  return { status: error.response?.statusCode, code: body['o:errorDetails']?.[0]?.['o:errorCode'], text: body['o:errorDetails']?.[0]?.detail ?? '', body };
}
const refusal = (status, code, text = '') => (error) => {
  const found = detail(error);
  return found.status === status && found.code === code && found.text.includes(text) && found.body.title;
};

await walk('netsuite-rest', async () => {
  // Signing in.
  const greeting = await netsuite.request({ path: '*', method: 'OPTIONS' });
  equal('greets as its readme does', greeting.statusCode, 204);
  await refused('a wrong token', () => client({ token: 'INVALID TOKEN' }).request({ path: '*', method: 'OPTIONS' }), (error) => error.response?.statusCode === 401);
  await refused('a wrong secret', () => client({ token_secret: 'wrong' }).request({ path: 'query/v1/suiteql', method: 'POST', body: '{"q":"SELECT 1 FROM DUAL"}' }), refusal(401, 'INVALID_LOGIN', 'Login Audit Trail'));
  await refused('a wrong realm', () => client({ realm: '7654321' }).request({ path: 'record/v1/vendor' }), (error) => error.response?.statusCode === 401);

  // SuiteQL.
  const five = await query('SELECT id, companyname FROM vendor ORDER BY id', '?limit=5');
  equal('a page of five', [five.statusCode, five.data.count, five.data.hasMore, five.data.offset], [200, 5, true, 0]);
  holds('every row has its own links', five.data.items.every((row) => Array.isArray(row.links)), five.data.items[0]);
  holds('ids are text', five.data.items.every((row) => typeof row.id === 'string'), five.data.items[0]);
  holds('there is a next link', five.data.links.some((link) => link.rel === 'next'), five.data.links);
  const [{ n }] = await rows('SELECT COUNT(*) AS N FROM vendor');
  const seen = new Set();
  for (let offset = 0, more = true; more; offset += 10) {
    const page = (await query('SELECT id FROM vendor ORDER BY id', `?limit=10&offset=${offset}`)).data;
    page.items.forEach((row) => seen.add(row.id));
    more = page.hasMore;
  }
  equal('paging by offset finds every vendor once', String(seen.size), n);
  const bills = await rows("SELECT t.id, t.tranid, BUILTIN.DF(t.entity) AS vendor, TO_CHAR(t.trandate, 'YYYY-MM-DD') AS day, t.foreigntotal FROM transaction t WHERE t.type = 'VendBill' AND t.status = 'A' ORDER BY t.id FETCH FIRST 5 ROWS ONLY");
  holds('open bills with a vendor\'s name and a date', bills.length === 5 && bills[0].vendor && /^\d{4}-\d\d-\d\d$/.test(bills[0].day), bills[0]);
  holds('columns are lower-case', bills.every((row) => Object.keys(row).every((key) => key === key.toLowerCase())), bills[0]);
  await refused('LIMIT in a query', () => query('SELECT id FROM vendor LIMIT 5'), refusal(400, 'INVALID_PARAMETER'));
  await refused('an unknown column', () => query('SELECT nosuch FROM vendor'), refusal(400, 'INVALID_PARAMETER', "Unknown identifier 'nosuch'"));
  await refused('an unknown table', () => query('SELECT id FROM nosuch'), refusal(400, 'INVALID_PARAMETER'));
  await refused('an offset between pages', () => query('SELECT id FROM vendor', '?limit=10&offset=5'), refusal(400, 'INVALID_PARAMETER'));
  await refused('a page of 1,001', () => query('SELECT id FROM vendor', '?limit=1001'), refusal(400, 'INVALID_PARAMETER'));
  await refused('a query that isn\'t transient', () => netsuite.request({ path: 'query/v1/suiteql', method: 'POST' }), refusal(400, 'INVALID_HEADER', 'transient'));

  // Records.
  const [one] = await rows("SELECT id, entity, TO_CHAR(trandate, 'YYYY-MM-DD') AS day FROM transaction WHERE type = 'VendBill' ORDER BY id FETCH FIRST 1 ROWS ONLY");
  const bill = (await record(`vendorBill/${one.id}?expandSubResources=true`, 'GET')).data;
  equal('reads a bill with its lines', [bill.id, bill.entity.id, bill.tranDate], [one.id, one.entity, one.day]);
  holds('money is a number', typeof bill.total === 'number' && typeof (bill.expense?.items ?? bill.item?.items)[0].amount === 'number', bill);
  const listed = (await record('vendorBill?limit=3', 'GET')).data;
  holds('a list has ids and links only', listed.count === 3 && listed.items.every((item) => Object.keys(item).sort().join() === 'id,links'), listed);
  const account = bill.expense.items[0].account.id;
  const draft = {
    externalId: 'foreign-1',
    entity: { id: one.entity },
    subsidiary: { id: bill.subsidiary.id },
    tranId: 'FOREIGN-1',
    tranDate: day(0),
    expense: { items: [{ account: { id: account }, amount: 100.25, memo: 'Foreign' }] },
  };
  const made = await record('vendorBill', 'POST', draft);
  equal('makes a bill', [made.statusCode, made.data], [204, null]);
  const location = made.rawHeaders[made.rawHeaders.findIndex((name) => /^location$/i.test(name)) + 1];
  const id = location.match(/\/services\/rest\/record\/v1\/vendor[bB]ill\/(\d+)$/)?.[1];
  holds('is told where it lies', id, location);
  await refused('the same external id again', () => record('vendorBill', 'POST', draft), refusal(400, 'USER_ERROR', 'already exists'));
  const changed = await record(`vendorBill/${id}`, 'PATCH', { memo: 'changed', noSuchField: 1 });
  equal('changes it, and a misspelt field is dropped', changed.statusCode, 204);
  equal('reads it by its external id', (await record('vendorBill/eid:foreign-1', 'GET')).data.memo, 'changed');
  await refused('a misspelt field where names are checked', () => netsuite.request({ path: `record/v1/vendorBill/${id}`, method: 'PATCH', body: '{"noSuchField":1}', heads: { 'X-NetSuite-PropertyNameValidation': 'Error' } }), refusal(400, 'NONEXISTENT_FIELD', 'noSuchField'));
  for (const total of [7, 8]) {
    const put = await record('vendorBill/eid:foreign-2', 'PUT', { ...draft, externalId: undefined, tranId: 'FOREIGN-2', ...(total === 8 ? { expense: undefined, memo: 'again' } : {}) });
    equal('puts a bill by its external id', put.statusCode, 204);
  }
  equal('two puts make one bill', (await rows("SELECT COUNT(*) AS n FROM transaction WHERE externalid = 'foreign-2'"))[0].n, '1');
  await record(`vendorBill/${id}`, 'PATCH', { expense: { items: [{ account: { id: account }, amount: 1 }] } });
  equal('a changed list of expenses grows', (await record(`vendorBill/${id}/expense`, 'GET')).data.totalResults, 2);
  await record(`vendorBill/${id}?replace=expense`, 'PATCH', { expense: { items: [{ account: { id: account }, amount: 50.5 }] } });
  equal('replaced, it has what was sent', (await record(`vendorBill/${id}`, 'GET')).data.total, 50.5);
  const [bank] = await rows("SELECT a.id FROM account a JOIN accountsubsidiarymap m ON m.account = a.id WHERE a.accttype = 'Bank' AND m.subsidiary = " + bill.subsidiary.id + ' ORDER BY a.id');
  const payment = { entity: { id: one.entity }, subsidiary: { id: bill.subsidiary.id }, account: { id: bank.id }, tranDate: day(0), apply: { items: [{ doc: { id }, apply: true, amount: 20.5 }] } };
  await refused('an apply list that is an array', () => record('vendorPayment', 'POST', { ...payment, apply: payment.apply.items }), (error) => error.response?.statusCode === 400);
  await refused('a payment of more than is open', () => record('vendorPayment', 'POST', { ...payment, apply: { items: [{ doc: { id }, apply: true, amount: 1000 }] } }), (error) => error.response?.statusCode === 400);
  const paid = await record('vendorPayment', 'POST', payment);
  equal('pays it in part', paid.statusCode, 204);
  equal('what is open follows', (await rows(`SELECT foreignamountunpaid AS open, status FROM transaction WHERE id = ${id}`))[0], { links: [], open: '30', status: 'A' });
  const links = await rows(`SELECT nextdoc, foreignamount FROM nexttransactionlinelink WHERE previousdoc = ${id} AND linktype = 'Payment'`);
  equal('the link is there', links.map((link) => link.foreignamount), ['20.5']);
  equal('deletes the payment', (await record(`vendorPayment/${links[0].nextdoc}`, 'DELETE')).statusCode, 204);
  equal('the bill is open again', (await rows(`SELECT foreignamountunpaid AS open FROM transaction WHERE id = ${id}`))[0].open, '50.5');
  holds('the deletion is recorded', (await rows(`SELECT recordid FROM deletedrecord WHERE recordid = ${links[0].nextdoc}`)).length === 1, null);
  await refused('a bill that never was', () => record('vendorBill/99999999', 'GET'), refusal(400, 'USER_ERROR', 'Transaction type specified is incorrect'));
  await refused('a vendor that never was', () => record('vendor/99999999', 'GET'), refusal(404, 'NONEXISTENT_ID'));
  await refused('a record type that isn\'t there', () => record('file', 'GET'), refusal(404, 'NONEXISTENT_ID', "Record type 'file' does not exist."));
  await refused('a field that isn\'t there', () => record('vendor?q=nosuch IS 1'.replaceAll(' ', '%20'), 'GET'), refusal(400, 'NONEXISTENT_FIELD', 'nosuch'));
});
