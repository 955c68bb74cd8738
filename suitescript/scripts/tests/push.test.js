import nodeCrypto from 'crypto';

import cache from 'N/cache';
import crypto from 'N/crypto';
import encode from 'N/encode';
import https from 'N/https';
import log from 'N/log';
import runtime from 'N/runtime';
import script from 'SuiteScripts/tieout/tieout_push';

jest.mock('N/cache');
jest.mock('N/crypto');
jest.mock('N/https');
jest.mock('N/log');
jest.mock('N/runtime');

const ADDRESS = 'https://tieout.example.com/webhooks/netsuite/acme-us/4f';
const OTHER = 'https://tieout.example.com/webhooks/netsuite/acme-uk/9c';
/** What NetSuite keeps under the ids of its API secrets. */
const SECRETS = { custsecret_tieout: 'Jefe' };

const invoice = { type: 'invoice', id: 77 };
const saved = (more) => script.afterSubmit({ type: 'edit', newRecord: invoice, ...more });
const sent = () => https.post.mock.calls.map(([options]) => options);

/** Hashes for real, so that a signature can be held against what tieout reckons. */
const hmacs = () => {
  crypto.createSecretKey.mockImplementation(({ secret, encoding }) => {
    expect(encoding).toBe(encode.Encoding.UTF_8);
    return { text: SECRETS[secret] };
  });
  crypto.createHmac.mockImplementation(({ algorithm, key }) => {
    expect(algorithm).toBe(crypto.HashAlg.SHA256);
    const hmac = nodeCrypto.createHmac('sha256', key.text);
    return {
      update: ({ input }) => hmac.update(input, 'utf8'),
      digest: () => hmac.digest('hex').toUpperCase(),
    };
  });
};

let remembered;

beforeEach(() => {
  jest.resetAllMocks();
  remembered = {};
  cache.getCache.mockReturnValue({
    get: ({ key }) => remembered[key] || null,
    put: ({ key, value, ttl }) => {
      expect(ttl).toBeGreaterThanOrEqual(300);
      remembered[key] = value;
    },
  });
  hmacs();
  https.post.mockReturnValue({ code: 200 });
  parameters(`${ADDRESS} custsecret_tieout`);
  role('customrole_accountant');
});

const parameters = (addresses) => {
  runtime.getCurrentScript.mockReturnValue({
    getParameter: ({ name }) => (name === 'custscript_tieout_push_addresses' ? addresses : null),
  });
};

const role = (roleId) => runtime.getCurrentUser.mockReturnValue({ roleId });

test('a change is told by type, id and event alone, and signed', () => {
  saved();
  const body = '{"record":"invoice","id":"77","event":"edit"}';
  expect(sent()).toEqual([{
    url: ADDRESS,
    body,
    headers: {
      'Content-Type': 'application/json',
      'X-Tieout-Signature': nodeCrypto.createHmac('sha256', 'Jefe').update(body).digest('hex'),
    },
  }]);
});

test('a deletion has an old record only', () => {
  saved({ type: 'delete', newRecord: undefined, oldRecord: invoice });
  expect(JSON.parse(sent()[0].body)).toEqual({ record: 'invoice', id: '77', event: 'delete' });
});

test('an address without a secret is told unsigned', () => {
  parameters(ADDRESS);
  saved();
  expect(sent()[0].headers).toEqual({ 'Content-Type': 'application/json' });
});

test('every address is told, and none that is not https', () => {
  parameters(`\n ${ADDRESS} custsecret_tieout\r\n${OTHER}\nhttp://elsewhere.example.com/x\nnonsense\n`);
  saved();
  expect(sent().map(({ url }) => url)).toEqual([ADDRESS, OTHER]);
});

test('without an address nothing is sent', () => {
  parameters(null);
  saved();
  expect(sent()).toEqual([]);
  expect(log.error).not.toHaveBeenCalled();
});

test('what tieout itself wrote is no news to it', () => {
  role('customrole_tieout_receivables');
  saved();
  expect(sent()).toEqual([]);
});

test.each([
  ['an answer that is no good one', () => ({ code: 503 })],
  ['no answer', () => { throw Object.assign(new Error('too long'), { name: 'SSS_REQUEST_TIME_EXCEEDED' }); }],
])('after %s the address is left alone, and the others are not', (_, answer) => {
  parameters(`${ADDRESS}\n${OTHER}`);
  https.post.mockImplementation(({ url }) => (url === ADDRESS ? answer() : { code: 200 }));
  saved();
  saved();
  expect(sent().map(({ url }) => url)).toEqual([ADDRESS, OTHER, OTHER]);
});

test('an address that a person puts right is told at once', () => {
  https.post.mockReturnValueOnce({ code: 401 });
  saved();
  parameters(OTHER);
  saved();
  expect(sent().map(({ url }) => url)).toEqual([ADDRESS, OTHER]);
});

test('whoever saves a record never sees an error of this script', () => {
  cache.getCache.mockImplementation(() => { throw new Error('no cache'); });
  expect(() => saved()).not.toThrow();
  expect(log.error).toHaveBeenCalled();
});

test('no secret address is logged', () => {
  https.post.mockImplementation(({ url }) => { throw new Error(`can't reach ${url}`); });
  saved();
  expect(JSON.stringify(log.error.mock.calls)).not.toContain('4f');
});
