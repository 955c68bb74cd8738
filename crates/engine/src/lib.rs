//! The promise of tieout: pull, plan, journal, apply, look up, confirm.
