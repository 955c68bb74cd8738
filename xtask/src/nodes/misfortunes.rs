//! What goes wrong: nodes die, stand still, or lose the database, one every few seconds, by a seed.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Result;

use super::node::Node;
use super::relay::Line;
use crate::crash::killing::Dice;

/// Something that struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Blow {
    /// In microseconds since 1970.
    pub(crate) at: i64,
    /// What people call it.
    pub(crate) kind: &'static str,
    /// Whether it may have cut off runs.
    pub(crate) cuts_runs: bool,
}

impl Blow {
    /// One that strikes now.
    pub(crate) fn now(kind: &'static str, cuts_runs: bool) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let at = i64::try_from(since.unwrap_or_default().as_micros()).unwrap_or(i64::MAX);
        Self {
            at,
            kind,
            cuts_runs,
        }
    }
}

/// Strikes nodes, and mends again what it struck.
pub(crate) struct Misfortunes {
    dice: Dice,
    /// How long a node stands still: longer than its lease.
    pause: Duration,
    mends: Vec<(Instant, usize, Mend)>,
    start: Instant,
    pub(crate) blows: Vec<Blow>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mend {
    GoOn,
    Lines,
}

impl Misfortunes {
    pub(crate) fn new(seed: u64, pause: Duration) -> Self {
        Self {
            dice: Dice(seed),
            pause,
            mends: Vec::new(),
            start: Instant::now(),
            blows: Vec::new(),
        }
    }

    /// Writes down something that struck elsewhere.
    pub(crate) fn note(&mut self, blow: Blow, told: &str) {
        self.blows.push(blow);
        println!("  {:>4} s  {told}", self.start.elapsed().as_secs());
    }

    /// Strikes one of the nodes that are well, if there is one.
    pub(crate) fn strike(&mut self, nodes: &mut [Node]) -> Result<()> {
        let busy = |at: usize| self.mends.iter().any(|(_, node, _)| *node == at);
        let well: Vec<usize> = (0..nodes.len())
            .filter(|at| nodes[*at].is_up() && !busy(*at))
            .collect();
        let Some(at) = well
            .get(usize::try_from(self.dice.below(well.len() as u64))?)
            .copied()
        else {
            return Ok(());
        };
        let (draw, span) = (
            self.dice.below(10),
            Duration::from_secs(2 + self.dice.below(12)),
        );
        let one_stands_still = self.mends.iter().any(|(.., mend)| *mend == Mend::GoOn);
        let node = &mut nodes[at];
        let name = node.name.clone();
        let seconds = span.as_secs();
        match draw {
            0..5 => {
                self.note(
                    Blow::now("killed", true),
                    &format!("{name} is killed, for {seconds} s"),
                );
                node.kill(span)?;
            }
            5 | 6 if !one_stands_still => {
                let pause = self.pause;
                let told = format!("{name} stands still, for {} s", pause.as_secs());
                self.note(Blow::now("stood still", true), &told);
                node.pause()?;
                self.mends.push((Instant::now() + pause, at, Mend::GoOn));
            }
            7 | 8 => {
                self.note(
                    Blow::now("cut off", true),
                    &format!("{name} is cut off from the database, for {seconds} s"),
                );
                node.lines(Line::Cut);
                self.mends.push((Instant::now() + span, at, Mend::Lines));
            }
            _ => {
                self.note(
                    Blow::now("stalled", true),
                    &format!("{name} hears nothing from the database, for {seconds} s"),
                );
                node.lines(Line::Stalled);
                self.mends.push((Instant::now() + span, at, Mend::Lines));
            }
        }
        Ok(())
    }

    /// Mends what it is time to mend; everything, if `all`.
    pub(crate) fn mend(&mut self, nodes: &mut [Node], all: bool) -> Result<()> {
        let now = Instant::now();
        let (due, later) = std::mem::take(&mut self.mends)
            .into_iter()
            .partition(|(at, ..)| all || *at <= now);
        self.mends = later;
        for (_, at, mend) in due {
            match mend {
                Mend::GoOn => nodes[at].go_on()?,
                Mend::Lines => nodes[at].lines(Line::Open),
            }
        }
        Ok(())
    }

    /// How often each kind struck.
    pub(crate) fn counts(&self) -> Vec<(&'static str, usize)> {
        let mut counts: Vec<(&'static str, usize)> = Vec::new();
        for blow in &self.blows {
            match counts.iter_mut().find(|(kind, _)| *kind == blow.kind) {
                Some((_, count)) => *count += 1,
                None => counts.push((blow.kind, 1)),
            }
        }
        counts
    }
}
