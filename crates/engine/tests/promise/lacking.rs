//! A side that can do less than when a write was sent: a capability was taken out of the configuration since.

use tieout_domain::port::Action;

use crate::stage::{self, Effect, Stage, bill};
use crate::{SETTLED, WINDOW};

#[tokio::test]
async fn an_open_write_whose_writer_is_gone_is_held_and_told_until_the_writer_is_back() {
    for changed in [false, true] {
        let mut stage = Stage::new().await;
        stage.platform.settles_after(WINDOW);
        stage.ledger.put(bill("1", "10"));
        if changed {
            stage.sync().await;
            stage.ledger.put(bill("1", "20"));
        }
        stage.platform.next(Effect::LostAfter);
        stage.platform.hide(true);
        stage.sync().await;
        assert_eq!(stage.state("1").await, "HOLD(settling)");
        let platform = &mut stage.connection.sides.platform;
        let writers = std::mem::take(&mut platform.write);
        let readers = std::mem::take(&mut platform.read);
        for _ in 0..2 {
            let report = stage.try_sync().await;
            let [problem] = report.problems.as_slice() else {
                panic!("{:?}", report.problems)
            };
            assert_eq!(problem.code.as_str(), "not-supported");
            assert!(!problem.side_failed);
            let outcome = stage.item(&stage::here("1")).await.outcome;
            assert_eq!(outcome.to_string(), "HOLD(settling)");
            assert!(outcome.cause.contains("can't be written there any more"));
            stage.clock.pass(SETTLED);
        }
        assert_eq!(stage.connection.store.open_writes().await.unwrap().len(), 1);
        let platform = &mut stage.connection.sides.platform;
        (platform.write, platform.read) = (writers, readers);
        stage.platform.hide(false);
        stage.sync().await;
        assert_eq!(stage.state("1").await, "DONE");
        assert_eq!(stage.platform.totals(), [if changed { "20" } else { "10" }]);
        assert_eq!(stage.platform.calls(Action::Create), 1);
        assert_eq!(stage.platform.calls(Action::Amend), usize::from(changed));
    }
}
