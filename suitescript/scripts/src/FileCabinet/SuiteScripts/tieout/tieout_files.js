/**
 * Prints invoices as PDF, and hands out the files that are attached to bills. Runs with the role of whoever calls, so
 * that nothing is shown that the role may not see.
 *
 * GET with `type` and `id`; every answer is an object, and one that says why not is `{error: {code, message}}`:
 *   about             {version, invoices, bills}: what the role may ask for
 *   invoice, id       {name, mediaType, content}: the PDF in Base64
 *   vendorBill, id    {files: [{id, name, mediaType, size, sha256}]}
 *   attachments       {asked, bills: [{id, files}], next}: the files of bills that are open or wait for approval, in pages
 *                     of whole bills, after the bill `after`; with `since` (seconds) where the bill has changed since then,
 *                     and of every bill the files that have: it may be closed now and open again later
 *   file, id          {name, mediaType, content}
 *
 * @NApiVersion 2.1
 * @NScriptType Restlet
 * @NModuleScope SameAccount
 */
define([
  'N/crypto', 'N/encode', 'N/file', 'N/format', 'N/log', 'N/render', 'N/runtime', 'N/search',
], (crypto, encode, file, format, log, render, runtime, search) => {
  const VERSION = '2';
  /** Files of a page; a bill is never cut in two. Loading one takes 10 of a call's 5,000 units. */
  const FILES_MAX = 100;
  const PREFERENCES = 'customrecord_tieout_preferences';

  /** What files are, by NetSuite's word for it. */
  const MEDIA_TYPES = {
    CSV: 'text/csv',
    EXCEL: 'application/vnd.ms-excel',
    GIFIMAGE: 'image/gif',
    JPGIMAGE: 'image/jpeg',
    PDF: 'application/pdf',
    PLAINTEXT: 'text/plain',
    PNGIMAGE: 'image/png',
    TIFFIMAGE: 'image/tiff',
    WORD: 'application/msword',
    ZIP: 'application/zip',
  };

  /** An error that the caller is told as it is. */
  class Told extends Error {
    constructor(code, message) {
      super(message);
      this.name = code;
    }
  }

  const missing = () => new Told('RCRD_DSNT_EXIST', 'That record does not exist.');

  const may = (permission) => {
    const level = runtime.getCurrentUser().getPermission({ name: permission });
    return level !== runtime.Permission.NONE;
  };

  const need = (permission) => {
    if (!may(permission)) {
      throw new Told('INSUFFICIENT_PERMISSION', `The role lacks the permission ${permission}.`);
    }
  };

  const wholeNumber = (text) => {
    if (!/^[0-9]{1,15}$/.test(String(text))) {
      throw new Told('SSS_INVALID_TYPE_ARG', 'id is the internal id, a whole number.');
    }
    return Number(text);
  };

  /** The subsidiary of an invoice; null in an account that has none. */
  const subsidiaryOf = (id) => {
    const oneWorld = runtime.isFeatureInEffect({ feature: 'SUBSIDIARIES' });
    const columns = oneWorld ? ['tranid', 'subsidiary'] : ['tranid'];
    const found = search.lookupFields({ type: search.Type.INVOICE, id, columns });
    if (!found || found.tranid === undefined) {
      throw missing();
    }
    return oneWorld && found.subsidiary.length > 0 ? found.subsidiary[0].value : null;
  };

  /** How a subsidiary's invoices are printed: {form, on}. Without a row, as NetSuite prints them. */
  const preferencesOf = (subsidiary) => {
    const own = subsidiary === null
      ? ['custrecord_tieout_subsidiary', 'isempty', '']
      : ['custrecord_tieout_subsidiary', 'equalto', subsidiary];
    const rows = search.create({
      type: PREFERENCES,
      filters: [['isinactive', 'is', 'F'], 'and', own],
      columns: ['custrecord_tieout_pdf_form', 'custrecord_tieout_pdf_on'],
    }).run().getRange({ start: 0, end: 1 });
    if (rows.length === 0) {
      return { form: null, on: true };
    }
    const value = (name) => rows[0].getValue({ name });
    const on = value('custrecord_tieout_pdf_on');
    const form = Number(value('custrecord_tieout_pdf_form'));
    return { form: form > 0 ? form : null, on: on === true || on === 'T' };
  };

  const mediaType = (type) => MEDIA_TYPES[type] || 'application/octet-stream';

  /** A file's bytes in Base64: NetSuite gives those of a text as text. */
  const content = (opened) => {
    const contents = opened.getContents();
    if (!opened.isText) {
      return contents;
    }
    return encode.convert({
      string: contents,
      inputEncoding: encode.Encoding.UTF_8,
      outputEncoding: encode.Encoding.BASE_64,
    });
  };

  const handedOut = (opened) => ({
    name: opened.name,
    mediaType: mediaType(opened.fileType),
    content: content(opened),
  });

  const sha256 = (base64) => {
    const hash = crypto.createHash({ algorithm: crypto.HashAlg.SHA256 });
    hash.update({ input: base64, inputEncoding: encode.Encoding.BASE_64 });
    return hash.digest({ outputEncoding: encode.Encoding.HEX }).toLowerCase();
  };

  const about = () => ({
    version: VERSION,
    invoices: may('TRAN_CUSTINVC'),
    bills: may('TRAN_VENDBILL'),
  });

  const invoice = (id) => {
    need('TRAN_CUSTINVC');
    const preferences = preferencesOf(subsidiaryOf(id));
    if (!preferences.on) {
      throw new Told('TIEOUT_PDF_OFF', "This subsidiary's invoices may not be printed (tieout preferences).");
    }
    const options = { entityId: id, printMode: render.PrintMode.PDF };
    if (preferences.form !== null) {
      options.formId = preferences.form;
    }
    const printed = render.transaction(options);
    return { name: printed.name, mediaType: 'application/pdf', content: printed.getContents() };
  };

  /** The ids of the files that are attached to a bill. */
  const attached = (id) => {
    const ids = [];
    search.create({
      type: search.Type.VENDOR_BILL,
      filters: [['internalid', 'anyof', id], 'and', ['mainline', 'is', 'T']],
      columns: [search.createColumn({ name: 'internalid', join: 'file' })],
    }).run().each((row) => {
      const found = row.getValue({ name: 'internalid', join: 'file' });
      if (found) {
        ids.push(Number(found));
      }
      return true;
    });
    return ids;
  };

  const listed = (one) => {
    const opened = file.load({ id: one });
    return {
      id: String(one),
      name: opened.name,
      mediaType: mediaType(opened.fileType),
      size: opened.size,
      sha256: sha256(content(opened)),
    };
  };

  const vendorBill = (id) => {
    need('TRAN_VENDBILL');
    return { files: attached(id).map(listed) };
  };

  /** Bills that are open or wait for approval. */
  const OPEN = ['status', 'anyof', ['VendBill:A', 'VendBill:D']];

  /** That an open bill has changed since, or the file of any. */
  const changedSince = (seconds) => {
    const since = format.format({ value: new Date(seconds * 1000), type: format.Type.DATETIME });
    return [
      [OPEN, 'and', ['lastmodifieddate', 'onorafter', since]], 'or',
      ['file.created', 'onorafter', since], 'or',
      ['file.modified', 'onorafter', since],
    ];
  };

  const attachments = ({ since, after }) => {
    need('TRAN_VENDBILL');
    const asked = Math.floor(Date.now() / 1000);
    const filters = [
      ['mainline', 'is', 'T'], 'and',
      ['file.internalid', 'noneof', '@NONE@'], 'and',
      ['internalidnumber', 'greaterthan', after === undefined ? 0 : wholeNumber(after)], 'and',
      since === undefined ? OPEN : changedSince(wholeNumber(since)),
    ];
    const bills = [];
    let files = 0;
    let next = null;
    search.create({
      type: search.Type.VENDOR_BILL,
      filters,
      columns: [
        search.createColumn({ name: 'internalid', sort: search.Sort.ASC }),
        search.createColumn({ name: 'internalid', join: 'file' }),
      ],
    }).run().each((row) => {
      const id = String(row.getValue({ name: 'internalid' }));
      const last = bills[bills.length - 1];
      if (last === undefined || last.id !== id) {
        if (files >= FILES_MAX) {
          next = last.id;
          return false;
        }
        bills.push({ id, files: [] });
      }
      files += 1;
      const found = row.getValue({ name: 'internalid', join: 'file' });
      bills[bills.length - 1].files.push(listed(Number(found)));
      return true;
    });
    return { asked, bills, next };
  };

  const oneFile = (id) => {
    need('TRAN_VENDBILL');
    return handedOut(file.load({ id }));
  };

  const TYPES = { invoice, vendorBill, file: oneFile };

  const answer = (parameters) => {
    if (parameters.type === 'about') {
      return about();
    }
    if (parameters.type === 'attachments') {
      return attachments(parameters);
    }
    if (!Object.prototype.hasOwnProperty.call(TYPES, parameters.type)) {
      throw new Told('SSS_INVALID_TYPE_ARG', 'type is about, invoice, vendorBill, attachments or file.');
    }
    return TYPES[parameters.type](wholeNumber(parameters.id));
  };

  const get = (parameters) => {
    try {
      return answer(parameters);
    } catch (error) {
      log.error({ title: 'tieout: files', details: error });
      return { error: { code: error.name || 'UNEXPECTED_ERROR', message: error.message } };
    }
  };

  return { get };
});
