//! What the face asks for while a credential is renewed, one step for each form.

use async_trait::async_trait;
use secrecy::SecretString;
use tieout_desk::DeskError;
use tieout_domain::{ConnectionName, Timestamp};
use tieout_engine::Plan;

use super::{CredentialFieldInfo, GuideStep};

/// A renewal that is under way.
#[derive(Debug, Clone)]
pub struct RenewalStanding {
    /// The kind before.
    pub from: String,
    /// The kind afterwards.
    pub to: String,
    /// The connections that use the credential.
    pub connections: Vec<ConnectionName>,
    /// The steps, in order.
    pub steps: Vec<RenewalStep>,
    /// The certificate that was made on the way, to upload.
    pub certificate: Option<String>,
}

/// A step of a renewal.
#[derive(Debug, Clone)]
pub struct RenewalStep {
    /// Its name.
    pub id: &'static str,
    /// What a person does.
    pub guide: GuideStep,
    /// The fields of the credential that it yields.
    pub yields: Vec<CredentialFieldInfo>,
    /// What is asked of a person.
    pub asks: RenewalAsks,
    /// How it stands.
    pub state: RenewalState,
}

/// What is asked of a person at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RenewalAsks {
    /// Their word that it is done over there.
    Word,
    /// The fields that it yields.
    Fields,
    /// To look at what differs, and say yes.
    Preferences,
    /// To look at the plan, and say yes.
    Plan,
    /// Nothing: tieout does it.
    Nothing,
}

/// How a step stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RenewalState {
    /// It is done.
    Done {
        /// When.
        at: Timestamp,
        /// By whom.
        by: String,
        /// How it is known.
        evidence: String,
    },
    /// It is the first that isn't done.
    Next,
    /// It can't be done yet.
    Later,
}

/// What a person sends with a step.
#[derive(Debug)]
pub struct RenewalSent {
    /// The step that they were shown.
    pub step: String,
    /// The fields that it yields, as a JSON object.
    pub fields: SecretString,
    /// Whether they say yes to what was shown.
    pub yes: bool,
}

/// A value that is not as it was when the renewal began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differs {
    /// The connection.
    pub connection: String,
    /// What it is of: tieout's own preferences, or those of the other sync.
    pub ours: bool,
    /// Its name.
    pub name: String,
    /// The value then.
    pub before: String,
    /// The value now.
    pub now: String,
}

/// How far a renewal came.
#[derive(Debug, Clone, Default)]
pub struct RenewalReached {
    /// What a person has to do first; nothing where it is over.
    pub waits: Option<String>,
    /// Preferences that differ.
    pub differs: Vec<Differs>,
    /// What a sync would do.
    pub plans: Vec<Plan>,
}

/// Renewing a credential in the one safe order. Who acts is named as the history has it: `user:NAME`.
#[async_trait]
pub trait Renews: Send + Sync {
    /// The kinds that a guide leads to from this kind.
    fn ways(&self, from: &str) -> Vec<&'static str>;

    /// The renewal of this credential; `None` where none is under way.
    ///
    /// # Errors
    /// The store's.
    async fn renewal(&self, credential: &str) -> Result<Option<RenewalStanding>, DeskError>;

    /// Begins one: remote writes of all connections that use the credential are paused until it ends.
    ///
    /// # Errors
    /// `renewal-under-way`, `credential-kind`, a credential that isn't there.
    async fn begin(
        &self,
        credential: &str,
        to: &str,
        moving_over: bool,
        by: &str,
    ) -> Result<(), DeskError>;

    /// Does a step, and then what needs nobody.
    ///
    /// # Errors
    /// `step-out-of-order`; what proves a step says that it isn't done.
    async fn go_on(
        &self,
        credential: &str,
        sent: RenewalSent,
        by: &str,
    ) -> Result<RenewalReached, DeskError>;

    /// Gives it up; the credential in use stays, and writes go on.
    ///
    /// # Errors
    /// The store's.
    async fn abandon(&self, credential: &str, by: &str) -> Result<(), DeskError>;
}
