//! The engine against a generated company.

use jiff::civil::date;
use rusqlite::Connection;
use serde_json::Value;
use tieout_kit::fake::world::generate::{Shape, generate};

use super::{DateFormat, Engine, Page, QueryPage, Session};

struct Books {
    connection: Connection,
    engine: Engine,
    session: Session,
}

fn books() -> Books {
    let mut connection = Connection::open_in_memory().unwrap();
    crate::schema::create(&connection).unwrap();
    let now: jiff::Timestamp = "2026-06-15T20:00:00Z".parse().unwrap();
    let world = generate(&Shape::new(date(2026, 6, 15)));
    crate::load::load(&mut connection, &world, now).unwrap();
    Books {
        connection,
        engine: Engine::default(),
        session: Session {
            time_zone: jiff::tz::TimeZone::get("America/Los_Angeles").unwrap(),
            date_format: DateFormat::MonthDayYear,
            now,
            one_world: true,
            hidden_tables: Default::default(),
            hidden_columns: Default::default(),
            allow_with: false,
        },
    }
}

impl Books {
    fn page(&self, query: &str, params: &[&str], limit: usize, offset: usize) -> QueryPage {
        let params: Vec<String> = params.iter().map(|&value| value.to_owned()).collect();
        self.engine
            .run(
                &self.connection,
                query,
                &params,
                Page { limit, offset },
                &self.session,
            )
            .unwrap_or_else(|error| panic!("{query}: {error}"))
    }

    fn all(&self, query: &str) -> QueryPage {
        self.page(query, &[], 1000, 0)
    }

    /// The only column of the only row.
    fn one(&self, query: &str) -> Option<String> {
        let page = self.all(query);
        assert_eq!(page.total, 1, "{query}");
        page.items[0]
            .iter()
            .find(|(name, _)| *name != "links")
            .map(|(_, value)| text(value))
    }

    fn refused(&self, query: &str) -> String {
        let page = Page {
            limit: 1000,
            offset: 0,
        };
        let error = self
            .engine
            .run(&self.connection, query, &[], page, &self.session)
            .expect_err(query);
        assert_eq!(
            (error.status, error.code),
            (400, "INVALID_PARAMETER"),
            "{query}: {error}"
        );
        error.detail
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("every scalar is a text").to_owned()
}

#[test]
fn values_are_texts_under_lower_case_names_and_nulls_are_absent() {
    let books = books();
    let page = books
        .all("SELECT Id AS BILL, NULL AS nothing, 1.50 AS half FROM transaction WHERE ROWNUM = 1");
    let item = &page.items[0];
    assert_eq!(item["links"], Value::Array(vec![]));
    assert!(item["bill"].is_string());
    assert_eq!(item["half"], "1.5");
    assert!(!item.contains_key("nothing"));
}

#[test]
fn what_sheets_query_works() {
    let books = books();
    for query in [
        "SELECT id, tranid, entity, BUILTIN.DF(entity) vendor, TO_CHAR(trandate,'YYYY-MM-DD') trandate, \
         BUILTIN.DF(status) s, foreigntotal, foreignamountunpaid, subsidiary, BUILTIN.DF(currency) AS cur, \
         BUILTIN.DF(approvalstatus) ap FROM transaction t WHERE t.type = 'VendBill' AND t.status = 'A' \
         AND t.lastmodifieddate >= TO_TIMESTAMP('2025-06-30 00:00:00', 'YYYY-MM-DD HH24:MI:SS') \
         ORDER BY t.id FETCH FIRST 10 ROWS ONLY",
        "SELECT l.nextdoc payment, l.previousdoc bill, l.foreignamount FROM nexttransactionlinelink l \
         JOIN transaction p ON p.id=l.nextdoc WHERE l.linktype='Payment' AND p.type='VendPymt' ORDER BY 1, 2",
        "SELECT t.id, SUM(COALESCE(tal.amountunpaid,0) - COALESCE(tal.paymentamountunused,0)) AS due \
         FROM transaction t JOIN transactionaccountingline tal ON tal.transaction = t.id \
         WHERE t.posting='T' AND t.voided='F' GROUP BY t.id HAVING SUM(COALESCE(tal.amountunpaid,0)) > 0 ORDER BY due DESC",
        "SELECT TOP 5 id, entityid FROM vendor ORDER BY id",
        "SELECT * FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY type ORDER BY trandate DESC, id) rn FROM transaction) WHERE rn = 1",
        "SELECT v.id, a.addr1, a.city, a.zip FROM vendor v, vendoraddressbook b, vendoraddressbookentityaddress a \
         WHERE v.id = b.entity(+) AND b.addressbookaddress = a.nkey(+) ORDER BY v.id",
        "SELECT TO_CHAR(CURRENT_TIMESTAMP, 'YYYY-MM-DD HH24:MI:SS') AS now FROM DUAL",
        "SELECT TO_CHAR(SYS_EXTRACT_UTC(lastmodifieddate), 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') z FROM transaction WHERE id = 4001",
        "SELECT id, name, isactive FROM companyfeaturesetup",
        "SELECT scriptid, name FROM customrecordtype WHERE name LIKE '%Bill.com Preferences%'",
        "SELECT id FROM transaction WHERE trandate BETWEEN TO_DATE('2026-01-01','YYYY-MM-DD') AND SYSDATE - 1 UNION SELECT id FROM vendor",
        "SELECT id, CASE WHEN foreigntotal < 0 THEN 'minus' WHEN foreigntotal = 0 THEN 'zero' ELSE 'plus' END sign, \
         DECODE(type, 'VendBill', 'bill', 'other') kind, NVL2(memo, 'yes', 'no') m FROM transaction",
        "SELECT COUNT(*) AS n, COUNT(DISTINCT entity) AS vendors, MAX(lastmodifieddate) AS high FROM transaction",
        "SELECT type, COUNT(*) n FROM transaction GROUP BY type ORDER BY n DESC",
        "SELECT id FROM vendor v WHERE EXISTS (SELECT 1 FROM transaction t WHERE t.entity = v.id AND t.type = 'VendBill')",
        "SELECT s.id, (SELECT COUNT(*) FROM transaction t WHERE t.subsidiary = s.id) n FROM subsidiary s ORDER BY s.id",
        "SELECT id, REGEXP_REPLACE(tranid, '[^0-9]', '') digits FROM transaction WHERE REGEXP_LIKE(tranid, '^[A-Z]')",
        "SELECT ADD_MONTHS(trandate, -1) d, TRUNC(trandate, 'MM') m, TRUNC(lastmodifieddate) l FROM transaction",
        "SELECT deleteddate, recordid FROM deletedrecord WHERE type = 'vendorbill'",
        "SELECT tl.class, tl.location, tl.department, tl.item, tl.expenseaccount FROM transactionline tl WHERE tl.mainline = 'F' AND tl.taxline = 'F'",
    ] {
        books.all(query);
    }
    assert_eq!(
        books
            .one("SELECT TO_CHAR(CURRENT_TIMESTAMP, 'YYYY-MM-DD HH24:MI:SS') FROM DUAL")
            .as_deref(),
        Some("2026-06-15 13:00:00")
    );
}

#[test]
fn sums_are_exact_and_the_books_balance() {
    let books = books();
    let sum = "SELECT SUM(amount) FROM transactionaccountingline WHERE posting = 'T'";
    assert_eq!(books.one(sum).as_deref(), Some("0"));
    let unbalanced = "SELECT transaction FROM transactionaccountingline GROUP BY transaction HAVING SUM(amount) <> 0";
    assert_eq!(books.all(unbalanced).total, 0);
    assert_eq!(
        books.one("SELECT 0.1 + 0.2 FROM DUAL").as_deref(),
        Some("0.3")
    );
    assert_eq!(
        books.one("SELECT 1 / 8 FROM DUAL").as_deref(),
        Some("0.125")
    );
    assert_eq!(
        books.one("SELECT ROUND(2.345, 2) FROM DUAL").as_deref(),
        Some("2.35")
    );
    // What is owed by the documents is what the account says, in a ledger of one currency.
    let documents = books.one(
        "SELECT SUM(NVL(a.amountunpaid, 0) - NVL(a.paymentamountunused, 0)) FROM transaction t \
         JOIN transactionaccountingline a ON a.transaction = t.id WHERE t.posting = 'T' AND t.voided = 'F' \
         AND t.exchangerate = 1",
    );
    let account = books.one(
        "SELECT -SUM(a.amount) FROM transactionaccountingline a JOIN transaction t ON t.id = a.transaction \
         JOIN account g ON g.id = a.account WHERE g.accttype = 'AcctPay' AND a.posting = 'T' AND t.exchangerate = 1",
    );
    assert_eq!(documents, account);
}

#[test]
fn unordered_rows_are_not_in_the_order_of_ids_and_always_the_same() {
    let books = books();
    let ids = |page: QueryPage| {
        page.items
            .iter()
            .map(|item| text(&item["id"]))
            .collect::<Vec<_>>()
    };
    let first = ids(books.all("SELECT id FROM transaction WHERE type = 'VendBill'"));
    let mut sorted = first.clone();
    sorted.sort_by_key(|id| id.parse::<i64>().unwrap());
    assert_ne!(first, sorted);
    assert_eq!(
        first,
        ids(books.all("SELECT id FROM transaction WHERE type = 'VendBill'"))
    );
    assert_eq!(
        sorted,
        ids(books.all("SELECT id FROM transaction WHERE type = 'VendBill' ORDER BY id"))
    );
}

#[test]
fn pages_cover_all_rows_once() {
    let books = books();
    let query = "SELECT id FROM transactionline l JOIN transaction t ON t.id = l.transaction WHERE l.mainline = ?";
    let query = query.replace("SELECT id", "SELECT l.uniquekey");
    let mut seen = std::collections::BTreeSet::new();
    let mut offset = 0;
    loop {
        let page = books.page(&query, &["T"], 50, offset);
        seen.extend(page.items.iter().map(|item| text(&item["uniquekey"])));
        if !page.has_more {
            assert_eq!(seen.len(), page.total);
            break;
        }
        offset += 50;
    }
}

#[test]
fn dates_print_in_the_account_format_unless_formatted() {
    let mut books = books();
    let plain = "SELECT trandate FROM transaction WHERE id = 4001";
    let iso = books
        .one("SELECT TO_CHAR(trandate, 'YYYY-MM-DD') FROM transaction WHERE id = 4001")
        .unwrap();
    let mut parts = iso.split('-').map(|part| part.parse::<u32>().unwrap());
    let (year, month, day) = (
        parts.next().unwrap(),
        parts.next().unwrap(),
        parts.next().unwrap(),
    );
    assert_eq!(books.one(plain).unwrap(), format!("{month}/{day}/{year}"));
    books.session.date_format = DateFormat::DotDayMonthYear;
    assert_eq!(
        books.one(plain).unwrap(),
        format!("{day:02}.{month:02}.{year}")
    );
    books.refused("SELECT id FROM transaction WHERE trandate >= '2026-01-01'");
}

#[test]
fn stamps_are_compared_by_the_clock_on_the_wall_of_the_session() {
    let books = books();
    // 2025-11-02: clocks go back at 09:00 UTC; 01:10 comes twice, first at 08:10 UTC, then at 09:10.
    for (id, at) in [(4001, "2025-11-02 08:40:00"), (4002, "2025-11-02 09:10:00")] {
        let sql = "UPDATE \"transaction\" SET lastmodifieddate = ?2 WHERE id = ?1";
        books
            .connection
            .execute(sql, rusqlite::params![id, at])
            .unwrap();
    }
    let shown = "SELECT TO_CHAR(lastmodifieddate, 'HH24:MI') FROM transaction WHERE id = 4002";
    assert_eq!(books.one(shown).as_deref(), Some("01:10"));
    let since = "SELECT id FROM transaction WHERE id IN (4001, 4002) AND lastmodifieddate >= \
                 TO_TIMESTAMP('2025-11-02 01:40:00', 'YYYY-MM-DD HH24:MI:SS')";
    // The later change has the earlier wall time: a reader without an overlap misses it.
    assert_eq!(books.all(since).total, 1);
}

#[test]
fn refusals_name_what_is_available() {
    let mut books = books();
    assert_eq!(
        books.refused("SELECT nonsense FROM transaction"),
        "Invalid search query. Detailed unprocessed description follows. Search error occurred: Unknown \
         identifier 'nonsense'. Available identifiers are: {transaction=transaction}."
    );
    assert!(
        books
            .refused("SELECT id FROM nonsense")
            .contains("Invalid search type: nonsense")
    );
    assert!(
        books
            .refused("SELECT t.nonsense FROM transaction t")
            .contains("Field 'nonsense' for record 'transaction' was not found")
    );
    books.session.hidden_tables.insert("vendor".into());
    assert!(
        books
            .refused("SELECT id FROM vendor")
            .contains("Record 'vendor' was not found.")
    );
    books
        .session
        .hidden_columns
        .insert(("transaction".into(), "duedate".into()));
    assert!(
        books
            .refused("SELECT duedate FROM transaction")
            .contains("Unknown identifier 'duedate'")
    );
    books.session.one_world = false;
    assert_eq!(
        books.refused("SELECT subsidiary FROM transaction FETCH FIRST 1 ROWS ONLY"),
        "Invalid search query. Detailed unprocessed description follows. Search error occurred: Unknown \
         identifier 'subsidiary'. Available identifiers are: {transaction=transaction}."
    );
    assert!(
        books
            .refused("SELECT id FROM subsidiary")
            .contains("Invalid search type")
    );
}

#[test]
fn what_suiteql_lacks_is_refused() {
    let books = books();
    let many: Vec<String> = (0..1001).map(|n| n.to_string()).collect();
    for query in [
        "SELECT id FROM transaction LIMIT 5",
        "SELECT LISTAGG(id, ',') WITHIN GROUP (ORDER BY id) FROM transaction",
        "SELECT LEFT(tranid, 2) FROM transaction",
        "SELECT RIGHT(tranid, 2) FROM transaction",
        "SELECT SUBSTRING(tranid, 1, 2) FROM transaction",
        "SELECT SUBSTRING(tranid FROM 1 FOR 2) FROM transaction",
        "SELECT DATEDIFF(day, trandate, duedate) FROM transaction",
        "SELECT CONVERT(VARCHAR, id) FROM transaction",
        "SELECT CHARINDEX('a', tranid) FROM transaction",
        "SELECT CEILING(foreigntotal) FROM transaction",
        "SELECT UCASE(tranid) FROM transaction",
        "SELECT LCASE(tranid) FROM transaction",
        "WITH x AS (SELECT id FROM vendor) SELECT id FROM x",
        "SELECT [id] FROM transaction",
        "DELETE FROM transaction",
        "UPDATE vendor SET email = 'x'",
        "SELECT id FROM transaction; SELECT id FROM vendor",
        "SELECT id FROM sqlite_master",
        "SELECT x_extra FROM transaction",
        "SELECT id, COUNT(*) FROM transaction",
        "SELECT entity, id FROM transaction GROUP BY entity",
        "SELECT id FROM transaction WHERE id = 'abc'",
        "",
        "SELECT",
        "nonsense",
        &format!(
            "SELECT id FROM transaction WHERE id IN ({})",
            many.join(",")
        ),
        &format!("SELECT {} 1 {} FROM DUAL", "(".repeat(500), ")".repeat(500)),
    ] {
        books.refused(query);
    }
    assert_eq!(
        books
            .all("SELECT id FROM transaction WHERE type = 'VendBill' AND status = 'VendBill:A'")
            .total,
        0
    );
}

#[test]
fn rownum_filters_before_order() {
    let books = books();
    let wrapped = "SELECT * FROM (SELECT id FROM transaction ORDER BY id DESC) WHERE ROWNUM <= 3";
    let ids: Vec<_> = books
        .all(wrapped)
        .items
        .iter()
        .map(|item| text(&item["id"]))
        .collect();
    let top = books.one("SELECT MAX(id) FROM transaction").unwrap();
    assert_eq!(ids[0], top);
    assert_eq!(ids.len(), 3);
    let naive = "SELECT id FROM transaction WHERE ROWNUM <= 3 ORDER BY id DESC";
    let others: Vec<_> = books
        .all(naive)
        .items
        .iter()
        .map(|item| text(&item["id"]))
        .collect();
    assert_eq!(others.len(), 3);
    assert_ne!(ids, others);
}

#[test]
fn oracle_holds_an_empty_text_for_null() {
    let books = books();
    assert_eq!(
        books.one("SELECT NVL('', 'null') FROM DUAL").as_deref(),
        Some("null")
    );
    assert_eq!(
        books
            .all("SELECT id FROM transaction WHERE tranid = ''")
            .total,
        0
    );
    assert_eq!(
        books.one("SELECT 'a' || NULL || 'b' FROM DUAL").as_deref(),
        Some("ab")
    );
}

#[test]
fn oracle_functions() {
    let books = books();
    for (expression, expected) in [
        (
            "TO_CHAR(TO_DATE('2026-02-28', 'YYYY-MM-DD') + 1, 'DD MON YYYY')",
            "01 MAR 2026",
        ),
        (
            "TO_CHAR(ADD_MONTHS(TO_DATE('2026-02-28', 'YYYY-MM-DD'), 1), 'YYYY-MM-DD')",
            "2026-03-31",
        ),
        ("TO_CHAR(1234.5, 'FM999,990.00')", "1,234.50"),
        ("SUBSTR('abcdef', -3, 2)", "de"),
        ("INSTR('banana', 'a', 1, 2)", "4"),
        ("LPAD('7', 3, '0')", "007"),
        ("DECODE(NULL, NULL, 'same', 'other')", "same"),
        ("MOD(10, 3)", "1"),
        ("CEIL(1.2)", "2"),
        ("GREATEST(1, 2.5, 2)", "2.5"),
        ("NVL(NULL, 3)", "3"),
        (
            "TO_DATE('2026-03-01','YYYY-MM-DD') - TO_DATE('2026-02-01','YYYY-MM-DD')",
            "28",
        ),
        ("REGEXP_SUBSTR('INV-77', '[0-9]+')", "77"),
        (
            "EXTRACT(YEAR FROM TO_DATE('2026-03-01','YYYY-MM-DD'))",
            "2026",
        ),
        ("INITCAP('hello world')", "Hello World"),
        (
            "TO_CHAR(TO_TIMESTAMP_TZ('2026-06-15 12:00:00 +00:00','YYYY-MM-DD HH24:MI:SS TZH:TZM'), 'HH24:MI')",
            "05:00",
        ),
    ] {
        let found = books.one(&format!("SELECT {expression} FROM DUAL"));
        assert_eq!(found.as_deref(), Some(expected), "{expression}");
    }
}

#[test]
fn with_is_a_switch() {
    let mut books = books();
    books.session.allow_with = true;
    let query = "WITH open AS (SELECT id, entity FROM transaction WHERE type = 'VendBill') \
                 SELECT v.entityid, COUNT(*) n FROM open o JOIN vendor v ON v.id = o.entity \
                 GROUP BY v.entityid ORDER BY n DESC";
    assert!(books.all(query).total > 1);
}

#[test]
fn bound_values_become_what_they_are_compared_with() {
    let books = books();
    assert_eq!(
        books
            .page(
                "SELECT id FROM transaction WHERE id IN (?, ?)",
                &["4001", "4002"],
                1000,
                0
            )
            .total,
        2
    );
    let since = "SELECT id FROM transaction WHERE lastmodifieddate > TO_TIMESTAMP(?, 'YYYY-MM-DD HH24:MI:SS') AND foreigntotal >= ?";
    assert!(
        books
            .page(since, &["2026-01-01 00:00:00", "0.01"], 1000, 0)
            .total
            > 0
    );
    for (query, value) in [
        ("SELECT id FROM transaction WHERE id = ?", "abc"),
        (
            "SELECT id FROM transaction WHERE trandate >= ?",
            "2026-01-01",
        ),
        (
            "SELECT id FROM transaction WHERE trandate >= TO_DATE(?, 'YYYY-MM-DD')",
            "nonsense",
        ),
        ("SELECT id FROM transaction WHERE foreigntotal > ?", "much"),
    ] {
        let page = Page {
            limit: 10,
            offset: 0,
        };
        let refused = books.engine.run(
            &books.connection,
            query,
            &[value.to_owned()],
            page,
            &books.session,
        );
        assert_eq!(refused.expect_err(query).status, 400, "{query}");
    }
    let page = Page {
        limit: 10,
        offset: 0,
    };
    let missing = books.engine.run(
        &books.connection,
        "SELECT id FROM vendor WHERE id = ?",
        &[],
        page,
        &books.session,
    );
    assert!(missing.is_err());
}

#[test]
fn statuses_and_references_show_their_names() {
    let books = books();
    let shown =
        "SELECT DISTINCT BUILTIN.DF(status) s FROM transaction WHERE type = 'VendBill' ORDER BY s";
    let names: Vec<_> = books
        .all(shown)
        .items
        .iter()
        .map(|item| text(&item["s"]))
        .collect();
    for name in [
        "Bill : Open",
        "Bill : Paid In Full",
        "Bill : Pending Approval",
    ] {
        assert!(
            names.iter().any(|found| found == name),
            "{name} of {names:?}"
        );
    }
    assert_eq!(
        books.one(
            "SELECT BUILTIN.DF(account) FROM transaction WHERE type = 'VendBill' AND ROWNUM = 1"
        ),
        books.one("SELECT accountsearchdisplayname FROM account WHERE acctnumber = '2000'")
    );
}

#[test]
fn a_garbled_query_is_refused_and_never_breaks_the_engine() {
    let books = books();
    let seed = "SELECT t . id , BUILTIN.DF( t . entity ) AS v , SUM( NVL( l . foreignamount , 0 ) ) s , \
                TO_CHAR( MAX( t . lastmodifieddate ) , 'YYYY-MM-DD' ) , DECODE( t . type , 'VendBill' , 1 , 2 ) d , \
                ROW_NUMBER( ) OVER ( PARTITION BY t . type ORDER BY t . id ) rn FROM transaction t LEFT JOIN \
                transactionline l ON l . transaction = t . id WHERE t . trandate >= TO_DATE( '2026-01-01' , \
                'YYYY-MM-DD' ) - 1 AND t . lastmodifieddate < CURRENT_TIMESTAMP AND ROWNUM <= 5 OR t . memo \
                LIKE '%a_' GROUP BY t . id , t . entity , t . type HAVING COUNT( * ) > 1.5 ORDER BY 1 DESC , v \
                FETCH FIRST 3 ROWS ONLY UNION SELECT 'é' , NULL FROM DUAL ? ? (+)";
    let words: Vec<&str> = seed.split_whitespace().collect();
    let mut state = 7_u64;
    let mut draw = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut broken = Vec::new();
    for _ in 0..3000 {
        let mut garbled = words[..words.len() - draw(14)].to_vec();
        for _ in 0..=draw(5) {
            let (at, other) = (draw(garbled.len()), draw(words.len()));
            match draw(3) {
                0 => drop(garbled.remove(at)),
                1 => garbled[at] = words[other],
                _ => garbled.insert(at, words[other]),
            }
        }
        let query = garbled.join(" ");
        let page = Page {
            limit: 10,
            offset: 0,
        };
        let answer = books
            .engine
            .run(&books.connection, &query, &[], page, &books.session);
        if let Err(error) = answer
            && error.status != 400
        {
            broken.push(query);
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}
