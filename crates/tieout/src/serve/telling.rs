//! Tells others what happened, for as long as the service lives.

use std::sync::Arc;
use std::time::Duration;

use tieout_server::notices::{Looked, deliver, look};

use super::Service;

/// How often it is looked whether there is something to tell.
const LOOK: Duration = Duration::from_secs(30);

impl Service {
    /// Looks at what happened, and sends what is due, again and again. Nothing that fails here holds up a run.
    pub async fn tell(self: Arc<Self>) {
        let mut looked = Looked::default();
        loop {
            self.tell_once(&mut looked).await;
            self.shared.timer.sleep(LOOK).await;
        }
    }

    /// One look, and whatever is due.
    pub async fn tell_once(self: &Arc<Self>, looked: &mut Looked) {
        let app = self.app();
        if let Err(error) = look(&app, looked).await {
            tracing::error!(code = %error.code, "{}", error.cause);
        }
        loop {
            match deliver(&app, self.as_ref()).await {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(code = %error.code, "{}", error.cause);
                    return;
                }
            }
        }
    }
}
