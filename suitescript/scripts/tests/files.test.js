import nodeCrypto from 'crypto';

import crypto from 'N/crypto';
import encode from 'N/encode';
import file from 'N/file';
import format from 'N/format';
import log from 'N/log';
import render from 'N/render';
import runtime from 'N/runtime';
import search from 'N/search';
import script from 'SuiteScripts/tieout/tieout_files';

jest.mock('N/crypto');
jest.mock('N/file');
jest.mock('N/format');
jest.mock('N/log');
jest.mock('N/render');
jest.mock('N/runtime');
jest.mock('N/search');

const PDF = Buffer.from('%PDF-1.4').toString('base64');

let levels;
let rows;
let asked;

const result = (fields) => ({
  getValue: ({ name, join }) => fields[join ? `${join}.${name}` : name],
});

beforeEach(() => {
  jest.resetAllMocks();
  levels = { TRAN_CUSTINVC: 4, TRAN_VENDBILL: 4 };
  rows = [];
  asked = [];
  runtime.getCurrentUser.mockReturnValue({
    getPermission: ({ name }) => (levels[name] === undefined ? runtime.Permission.NONE : levels[name]),
  });
  runtime.isFeatureInEffect.mockReturnValue(true);
  search.lookupFields.mockReturnValue({ tranid: 'INV-1', subsidiary: [{ value: '3', text: 'Acme US' }] });
  search.createColumn.mockImplementation((column) => column);
  search.create.mockImplementation((options) => {
    asked.push(options);
    return {
      run: () => ({
        getRange: () => rows.map(result),
        each: (take) => rows.map(result).every(take),
      }),
    };
  });
  render.transaction.mockReturnValue({ name: 'Invoice_INV-1.pdf', getContents: () => PDF });
});

const get = (parameters) => script.get({ script: 'x', deploy: 'y', ...parameters });
const code = (parameters) => get(parameters).error.code;

test('it tells its version and what the role may ask for', () => {
  levels = { TRAN_CUSTINVC: 1 };
  expect(get({ type: 'about' })).toEqual({ version: '2', invoices: true, bills: false });
});

test('an invoice is printed as NetSuite prints it where no row says otherwise', () => {
  expect(get({ type: 'invoice', id: '77' })).toEqual({
    name: 'Invoice_INV-1.pdf', mediaType: 'application/pdf', content: PDF,
  });
  expect(render.transaction).toHaveBeenCalledWith({ entityId: 77, printMode: render.PrintMode.PDF });
  expect(asked[0].filters[2]).toEqual(['custrecord_tieout_subsidiary', 'equalto', '3']);
});

test('a row of its subsidiary chooses the form', () => {
  rows = [{ custrecord_tieout_pdf_form: '141', custrecord_tieout_pdf_on: true }];
  get({ type: 'invoice', id: '77' });
  expect(render.transaction.mock.calls[0][0].formId).toBe(141);
});

test('a row of its subsidiary switches printing off', () => {
  rows = [{ custrecord_tieout_pdf_form: '', custrecord_tieout_pdf_on: 'F' }];
  expect(code({ type: 'invoice', id: '77' })).toBe('TIEOUT_PDF_OFF');
  expect(render.transaction).not.toHaveBeenCalled();
});

test('an account without subsidiaries is asked for none', () => {
  runtime.isFeatureInEffect.mockReturnValue(false);
  search.lookupFields.mockReturnValue({ tranid: 'INV-1' });
  expect(get({ type: 'invoice', id: '77' }).content).toBe(PDF);
  expect(search.lookupFields.mock.calls[0][0].columns).toEqual(['tranid']);
  expect(asked[0].filters[2]).toEqual(['custrecord_tieout_subsidiary', 'isempty', '']);
});

test('an invoice that is not there is told as such', () => {
  search.lookupFields.mockReturnValue({});
  expect(code({ type: 'invoice', id: '77' })).toBe('RCRD_DSNT_EXIST');
});

test('a role sees nothing here that it may not see elsewhere', () => {
  levels = {};
  expect(code({ type: 'invoice', id: '77' })).toBe('INSUFFICIENT_PERMISSION');
  expect(code({ type: 'vendorBill', id: '77' })).toBe('INSUFFICIENT_PERMISSION');
  expect(code({ type: 'file', id: '77' })).toBe('INSUFFICIENT_PERMISSION');
  expect(search.lookupFields).not.toHaveBeenCalled();
});

test.each([
  [{}], [{ type: 'tea' }], [{ type: 'toString', id: '1' }], [{ type: 'invoice' }],
  [{ type: 'invoice', id: '77 or 1=1' }],
])('%j is not understood', (parameters) => {
  expect(code(parameters)).toBe('SSS_INVALID_TYPE_ARG');
});

test("NetSuite's own errors are told and logged", () => {
  render.transaction.mockImplementation(() => {
    throw Object.assign(new Error('No template.'), { name: 'SSS_TEMPLATE_ERROR' });
  });
  expect(get({ type: 'invoice', id: '77' })).toEqual({
    error: { code: 'SSS_TEMPLATE_ERROR', message: 'No template.' },
  });
  expect(log.error).toHaveBeenCalled();
});

test('the files of all open bills are listed in pages of whole bills', () => {
  file.load.mockImplementation(({ id }) => ({
    name: `${id}.pdf`, fileType: 'PDF', size: 8, isText: false, getContents: () => PDF,
  }));
  crypto.createHash.mockReturnValue({ update: () => {}, digest: () => 'AB' });
  rows = Array.from({ length: 150 }, (_, nth) => ({
    internalid: String(10 + Math.floor(nth / 3)), 'file.internalid': String(900 + nth),
  }));
  const page = get({ type: 'attachments', after: '9' });
  expect(page.bills).toHaveLength(34);
  expect(page.bills[33].files).toHaveLength(3);
  expect(page.next).toBe('43');
  expect(page.bills[0]).toEqual({
    id: '10',
    files: [900, 901, 902].map((id) => ({
      id: String(id), name: `${id}.pdf`, mediaType: 'application/pdf', size: 8, sha256: 'ab',
    })),
  });
  expect(asked[0].filters[4]).toEqual(['internalidnumber', 'greaterthan', 9]);
  expect(asked[0].filters[6]).toEqual(['status', 'anyof', ['VendBill:A', 'VendBill:D']]);
  rows = rows.slice(0, 2);
  expect(get({ type: 'attachments' }).next).toBe(null);
});

test('what has changed since a moment is asked for in the words of the account', () => {
  format.format.mockReturnValue('6/12/2026 8:00 am');
  expect(get({ type: 'attachments', since: '1781251200' }).bills).toEqual([]);
  expect(format.format.mock.calls[0][0].value).toEqual(new Date(1781251200000));
  const [openAndChanged, , ...files] = asked[0].filters[6];
  expect(openAndChanged).toEqual([
    ['status', 'anyof', ['VendBill:A', 'VendBill:D']], 'and',
    ['lastmodifieddate', 'onorafter', '6/12/2026 8:00 am'],
  ]);
  // A closed bill may be open again when it is asked for next: its files are listed when they change.
  expect(files).toContainEqual(['file.created', 'onorafter', '6/12/2026 8:00 am']);
  expect(code({ type: 'attachments', since: 'yesterday' })).toBe('SSS_INVALID_TYPE_ARG');
  levels = {};
  expect(code({ type: 'attachments' })).toBe('INSUFFICIENT_PERMISSION');
});

test('the files of a bill are listed with their fingerprints', () => {
  rows = [{ 'file.internalid': '901' }, { 'file.internalid': '' }];
  file.load.mockReturnValue({
    name: 'scan.pdf', fileType: 'PDF', size: 8, isText: false, getContents: () => PDF,
  });
  crypto.createHash.mockImplementation(() => {
    const hash = nodeCrypto.createHash('sha256');
    return {
      update: ({ input, inputEncoding }) => {
        expect(inputEncoding).toBe(encode.Encoding.BASE_64);
        hash.update(Buffer.from(input, 'base64'));
      },
      digest: () => hash.digest('hex').toUpperCase(),
    };
  });
  expect(get({ type: 'vendorBill', id: '12' })).toEqual({
    files: [{
      id: '901',
      name: 'scan.pdf',
      mediaType: 'application/pdf',
      size: 8,
      sha256: nodeCrypto.createHash('sha256').update('%PDF-1.4').digest('hex'),
    }],
  });
});

test('a text is handed out in Base64 like any file', () => {
  encode.convert = jest.fn(({ string }) => Buffer.from(string, 'utf8').toString('base64'));
  file.load.mockReturnValue({
    name: 'note.txt', fileType: 'PLAINTEXT', isText: true, getContents: () => 'Grüße',
  });
  const given = get({ type: 'file', id: '901' });
  expect(given.mediaType).toBe('text/plain');
  expect(Buffer.from(given.content, 'base64').toString('utf8')).toBe('Grüße');
});
