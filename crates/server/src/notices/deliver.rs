//! Sending what is in the outbox, and trying again.

use async_trait::async_trait;
use jiff::SignedDuration;
use tieout_desk::DeskError;
use tieout_store::Outgoing;

use super::{HOOK, MAIL};
use crate::app::App;
use crate::mail::Said;

/// How many letters are taken at once.
const AT_ONCE: u32 = 20;
/// For how long they are taken: longer than sending them all can last.
const HELD: SignedDuration = SignedDuration::from_mins(15);
/// How long is waited after each try that failed, in minutes. After the last, the letter is given up.
const AGAIN_MINUTES: [i64; 8] = [1, 5, 15, 60, 180, 360, 720, 1440];

/// Why a letter was not delivered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub struct Undelivered {
    /// What happened; nothing secret is in it.
    pub cause: String,
    /// Whether it would be no use to try again.
    pub for_good: bool,
}

/// Carries letters out of the house: the server itself sends nothing.
#[async_trait]
pub trait Courier: Send + Sync {
    /// Sends a mail. The id is the same for every try of one letter.
    ///
    /// # Errors
    /// The mail server can't be reached, or declines.
    async fn mail(&self, id: &str, to: &str, said: &Said) -> Result<(), Undelivered>;

    /// Posts a body to the hook of this name, signed.
    ///
    /// # Errors
    /// The receiver can't be reached, or declines.
    async fn hook(&self, hook: &str, id: &str, body: &str) -> Result<(), Undelivered>;
}

/// Sends what is due. Says how many letters it took in hand.
///
/// # Errors
/// The store's. A letter that can't be sent is no error: it is tried again, and given up in the end.
pub async fn deliver(app: &App, courier: &dyn Courier) -> Result<usize, DeskError> {
    let until = app.clock.now() + HELD;
    let taken = app.store.take_letters(AT_ONCE, until).await?;
    for outgoing in &taken {
        let name = &outgoing.letter.name;
        match carry(courier, outgoing).await {
            Ok(()) => app.store.letter_sent(name).await?,
            Err(failed) => {
                tracing::warn!(letter = name, cause = failed.cause, "not delivered");
                let again = again(outgoing.tries, &failed).map(|wait| app.clock.now() + wait);
                app.store.letter_failed(name, again, &failed.cause).await?;
            }
        }
    }
    Ok(taken.len())
}

fn again(tries: u32, failed: &Undelivered) -> Option<SignedDuration> {
    if failed.for_good {
        return None;
    }
    let at = usize::try_from(tries.saturating_sub(1)).ok()?;
    AGAIN_MINUTES
        .get(at)
        .map(|minutes| SignedDuration::from_mins(*minutes))
}

async fn carry(courier: &dyn Courier, outgoing: &Outgoing) -> Result<(), Undelivered> {
    let letter = &outgoing.letter;
    let unknown = |cause: String| Undelivered {
        cause,
        for_good: true,
    };
    match letter.way.as_str() {
        MAIL => {
            let said = Said::of_body(&letter.body).map_err(unknown)?;
            courier.mail(&letter.name, &letter.target, &said).await
        }
        HOOK => {
            courier
                .hook(&letter.target, &letter.name, &letter.body)
                .await
        }
        other => Err(unknown(format!("nobody knows how to send by {other}"))),
    }
}
