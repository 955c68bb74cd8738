//! At which rates the two sides value the documents that both have: what either showed when it was read last.

use std::collections::BTreeMap;

use tieout_domain::{Currency, ExchangeRate, Kind, RecordRef, RemoteId, Side};
use tieout_flows::tie_out::input::{Pair, Valuation};

use super::gather::PAGE;
use crate::{Connection, EngineError};

/// The rates of matched documents; `None` where the currency is the base currency itself.
pub(super) async fn valuation(
    connection: &Connection,
    currency: Currency,
    pairs: &[Pair],
) -> Result<Option<Valuation>, EngineError> {
    let base = connection.home_currency;
    if currency == base {
        return Ok(None);
    }
    let mut wanted: BTreeMap<(Side, Kind), Vec<RemoteId>> = BTreeMap::new();
    let matched = pairs
        .iter()
        .filter_map(|pair| pair.ledger.as_ref().zip(pair.platform.as_ref()));
    for (ledger, platform) in matched {
        for RecordRef { side, kind, id } in [&ledger.record, &platform.record] {
            wanted.entry((*side, *kind)).or_default().push(id.clone());
        }
    }
    let mut rates: BTreeMap<RecordRef, ExchangeRate> = BTreeMap::new();
    for ((side, kind), ids) in wanted {
        for ids in ids.chunks(PAGE as usize) {
            let records = connection.store.records(side, kind, ids).await?;
            rates.extend(records.into_values().filter_map(|mirrored| {
                let rate = mirrored.observed.document.exchange_rate()?;
                Some((mirrored.record(), rate))
            }));
        }
    }
    Ok(Some(Valuation { base, rates }))
}
