//! What a service allows at once, shared out among the processes that use one key.
//!
//! A process holds some of the slots for a while and renews that, so that a call costs no question to the store. What
//! nobody else wants is given for the asking. Where others wait, nobody keeps more than its share; where there are more
//! that want one than there are slots, they take turns. What a process held that died is free when its time is over, and
//! beside SQLite at once ([`alive`](crate::alive)).

use std::time::Duration;

use crate::StoreError;
use crate::sql::{self, cells, count, int, text, with};
use crate::store::{Store, Writing, micros};

/// How long somebody counts as waiting without asking again.
const WAITS_US: i64 = 5_000_000;
/// How long somebody may keep the one slot that it has while others have none.
const TURN_US: i64 = 2_000_000;

/// What a process asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotsAsked {
    /// How many there are in all.
    pub most: u64,
    /// How many the process is using now: it can't give those back.
    pub in_use: u64,
    /// How many it could use.
    pub wanted: u64,
}

/// What a process holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotsHeld {
    /// How many.
    pub held: u64,
    /// Whether others want more than they have.
    pub others_wait: bool,
}

/// Somebody else's row.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Other {
    held: u64,
    wanted: u64,
    since_us: i64,
}

impl Other {
    fn waits(&self) -> bool {
        self.wanted > self.held
    }
}

/// One's own row, as it was.
#[derive(Debug, Clone, Copy, Default)]
struct Mine {
    held: u64,
    since_us: i64,
}

impl Store {
    /// Takes slots of this name, or renews what is held, for so long from now on.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn hold_slots(
        &self,
        name: &str,
        asked: SlotsAsked,
        time: Duration,
    ) -> Result<SlotsHeld, StoreError> {
        let me = self.inner.holder.id()?.to_owned();
        let mut transaction = self.begin().await?;
        with(sql::SLOT_POOL, cells![name, asked.most])
            .execute(&mut transaction)
            .await?;
        let now = self.time_us(&mut transaction).await?;
        let (mine, others) = self.slots_of(&mut transaction, name, &me, now).await?;
        let mine = mine.unwrap_or(Mine {
            held: 0,
            since_us: now,
        });
        let held = share(asked, mine, &others, now);
        let since = if (held == 0) == (mine.held == 0) {
            mine.since_us
        } else {
            now
        };
        let until = now.saturating_add(if held == 0 { WAITS_US } else { micros(time) });
        let cells = cells![name, me, held, asked.wanted, since, until];
        with(sql::SLOTS_PUT, cells)
            .execute(&mut transaction)
            .await?;
        transaction.commit().await?;
        Ok(SlotsHeld {
            held,
            others_wait: others.iter().any(Other::waits),
        })
    }

    /// Whether others want more slots of this name than they have.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn others_wait_for_slots(&self, name: &str) -> Result<bool, StoreError> {
        let me = self.inner.holder.id()?;
        let mut reader = self.reader().await?;
        let now = self.time_us(&mut reader).await?;
        let waiting = with(sql::SLOTS_WAITED_FOR, cells![name, me, now])
            .fetch_optional(&mut reader)
            .await?;
        Ok(waiting.is_some())
    }

    /// Gives back what this process holds of a name.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn give_back_slots(&self, name: &str) -> Result<(), StoreError> {
        let me = self.inner.holder.id()?;
        let mut transaction = self.begin().await?;
        with(sql::SLOTS_DROP, cells![name, me])
            .execute(&mut transaction)
            .await?;
        transaction.commit().await
    }

    /// One's own row, and those of all others that are there; whoever is not is forgotten.
    async fn slots_of(
        &self,
        database: &mut Writing,
        name: &str,
        me: &str,
        now: i64,
    ) -> Result<(Option<Mine>, Vec<Other>), StoreError> {
        let rows = with(sql::SLOTS, cells![name]).fetch_all(database).await?;
        let (mut mine, mut others) = (None, Vec::new());
        for row in rows {
            let holder = text(&row, 0)?;
            let (held, since_us) = (count(&row, 1)?, int(&row, 3)?);
            if int(&row, 4)? <= now || self.inner.holder.is_dead(&holder) {
                with(sql::SLOTS_DROP, cells![name, holder])
                    .execute(database)
                    .await?;
            } else if holder == me {
                mine = Some(Mine { held, since_us });
            } else {
                others.push(Other {
                    held,
                    wanted: count(&row, 2)?,
                    since_us,
                });
            }
        }
        Ok((mine, others))
    }
}

/// How many slots the asker holds from now on.
fn share(asked: SlotsAsked, mine: Mine, others: &[Other], now: i64) -> u64 {
    let taken: u64 = others.iter().map(|other| other.held).sum();
    let free = asked.most.saturating_sub(taken);
    let in_use = asked.in_use.min(free);
    if !others.iter().any(Other::waits) {
        return asked.wanted.max(asked.in_use).min(free);
    }
    let contenders = 1 + others.iter().filter(|other| other.wanted > 0).count() as u64;
    let fair = (asked.most / contenders).max(1);
    let is_early = |other: &&Other| mine.held > 0 || other.since_us < mine.since_us;
    // What those lack of their share who have less, and were there before.
    let lacking: u64 = others
        .iter()
        .filter(|other| other.held > 0 || is_early(other))
        .map(|other| other.wanted.min(fair).saturating_sub(other.held))
        .sum();
    let has_had_its_turn =
        contenders > asked.most && mine.held > 0 && now - mine.since_us >= TURN_US;
    if has_had_its_turn && others.iter().any(|other| other.held == 0 && other.waits()) {
        return in_use;
    }
    // A share that is held already nobody takes away; what is free goes first to those who lack some.
    let kept = asked.wanted.min(fair).min(mine.held).min(free);
    let left = free.saturating_sub(kept).saturating_sub(lacking);
    (kept + asked.wanted.saturating_sub(kept).min(left)).max(in_use)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(most: u64, in_use: u64, wanted: u64) -> SlotsAsked {
        SlotsAsked {
            most,
            in_use,
            wanted,
        }
    }

    fn other(held: u64, wanted: u64, since_us: i64) -> Other {
        Other {
            held,
            wanted,
            since_us,
        }
    }

    fn mine(held: u64, since_us: i64) -> Mine {
        Mine { held, since_us }
    }

    #[test]
    fn who_is_alone_gets_what_it_wants_and_never_more_than_there_is() {
        assert_eq!(share(ask(3, 0, 1), mine(0, 0), &[], 0), 1);
        assert_eq!(share(ask(3, 1, 9), mine(1, 0), &[], 0), 3);
        assert_eq!(share(ask(3, 0, 3), mine(0, 0), &[other(2, 2, 0)], 0), 1);
    }

    #[test]
    fn who_has_more_than_its_share_gives_it_back_when_others_wait_and_it_is_free() {
        let waits = [other(0, 5, 10)];
        assert_eq!(share(ask(5, 2, 5), mine(5, 0), &waits, 20), 3);
        // What is in use is not given back.
        assert_eq!(share(ask(5, 5, 5), mine(5, 0), &waits, 20), 5);
        assert_eq!(share(ask(5, 0, 5), mine(0, 10), &[other(3, 5, 0)], 20), 2);
    }

    #[test]
    fn more_that_want_one_than_there_are_take_turns() {
        let waits = [other(1, 1, 0), other(0, 1, 5)];
        let later = 5 + TURN_US;
        assert_eq!(share(ask(2, 0, 1), mine(1, 0), &waits, 6), 1);
        assert_eq!(share(ask(2, 0, 1), mine(1, 0), &waits, later), 0);
        // Who has waited longest comes first.
        let first = [other(1, 1, 0), other(0, 1, 5)];
        assert_eq!(share(ask(2, 0, 1), mine(0, 9), &first, later), 0);
        assert_eq!(share(ask(2, 0, 1), mine(0, 3), &first, later), 1);
    }

    #[test]
    fn whoever_shares_out_never_gives_more_than_there_is() {
        for most in 1..5 {
            for held in 0..=most {
                for (in_use, wanted) in [(0, 1), (0, 9), (2, 3), (5, 5)] {
                    for others in [vec![other(held, 9, 1)], vec![other(held, held, 1)]] {
                        let given = share(ask(most, in_use, wanted), mine(2, 0), &others, 9);
                        assert!(given + held <= most, "{most} {held} {in_use} {wanted}");
                    }
                }
            }
        }
    }
}
