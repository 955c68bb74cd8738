/**
 * Tells tieout that a record has changed: its type, its id and what was done, and nothing else. tieout reads the record
 * itself, and looks by itself now and then, so that a push that is lost costs time and nothing more.
 *
 * Whoever saves a record waits for this script. An address that doesn't answer well is therefore left alone for five
 * minutes, nothing is sent twice, and no error reaches the person.
 *
 * @NApiVersion 2.1
 * @NScriptType UserEventScript
 * @NModuleScope SameAccount
 */
define([
  'N/cache', 'N/crypto', 'N/encode', 'N/https', 'N/log', 'N/runtime',
], (cache, crypto, encode, https, log, runtime) => {
  const ADDRESSES = 'custscript_tieout_push_addresses';
  /** What these roles write is no news to tieout. */
  const OWN_ROLES = ['customrole_tieout', 'customrole_tieout_receivables'];
  /** For so many seconds an address is left alone; N/cache knows no shorter time. */
  const LEFT_ALONE = 300;

  /** The addresses, each with the API secret that pushes to it are signed with: one on a line. */
  const addresses = () => {
    const text = runtime.getCurrentScript().getParameter({ name: ADDRESSES }) || '';
    return text.split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([url]) => url.startsWith('https://'))
      .map(([url, secret]) => ({ url, secret }));
  };

  /** HMAC-SHA256 of the body, hexadecimal. The secret itself never leaves NetSuite, and this script never sees it. */
  const signature = (secret, body) => {
    const key = crypto.createSecretKey({ secret, encoding: encode.Encoding.UTF_8 });
    const hmac = crypto.createHmac({ algorithm: crypto.HashAlg.SHA256, key });
    hmac.update({ input: body, inputEncoding: encode.Encoding.UTF_8 });
    return hmac.digest({ outputEncoding: encode.Encoding.HEX }).toLowerCase();
  };

  const push = ({ url, secret }, body, silent, nth) => {
    const mark = `address-${nth}`;
    if (silent.get({ key: mark }) === url) {
      return;
    }
    try {
      const headers = { 'Content-Type': 'application/json' };
      if (secret) {
        headers['X-Tieout-Signature'] = signature(secret, body);
      }
      const response = https.post({ url, headers, body });
      if (response.code >= 200 && response.code < 300) {
        return;
      }
      log.error({ title: 'tieout: push', details: `address ${nth} answered ${response.code}` });
    } catch (error) {
      log.error({ title: 'tieout: push', details: `address ${nth}: ${error.name}` });
    }
    silent.put({ key: mark, value: url, ttl: LEFT_ALONE });
  };

  const afterSubmit = (context) => {
    try {
      if (OWN_ROLES.includes(runtime.getCurrentUser().roleId)) {
        return;
      }
      const record = context.newRecord || context.oldRecord;
      const body = JSON.stringify({ record: record.type, id: String(record.id), event: context.type });
      const silent = cache.getCache({ name: 'tieout_push', scope: cache.Scope.PRIVATE });
      addresses().forEach((address, at) => push(address, body, silent, at + 1));
    } catch (error) {
      log.error({ title: 'tieout: push', details: error.name });
    }
  };

  return { afterSubmit };
});
