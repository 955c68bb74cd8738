//! What a person has to do in a vendor's own pages, in order: plain data that a system brings along, so that
//! the command line and the pages show the same words.

/// What a guide is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The first credential of a connection.
    Setup,
    /// A new credential in the place of one that is in use.
    Renewal,
}

/// How it is known that a step has been done. The next one waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// It can't be seen from outside: a person says so.
    Said,
    /// The preferences have been noted. tieout's own step.
    Noted,
    /// The credential in use signs in no more: it is tried once.
    OldRefused,
    /// The bundle's preferences can be read no more. Only where the bundle was there.
    BundleGone,
    /// The bundle's preferences can be read again. Only where the bundle was there.
    BundleBack,
    /// The fields that the step yields have been given.
    Given,
    /// A key pair and its certificate have been made. tieout's own step.
    Certified,
    /// The new credential is whole, and signs in for every connection that uses it.
    NewSignsIn,
    /// The new credential has taken the place of the old one. tieout's own step.
    Switched,
    /// The preferences are as they were noted. tieout's own step.
    Restored,
    /// What a run would do was shown, a person said yes, and the run went through.
    Synced,
}

/// The steps to a credential, in the only order that is safe.
#[derive(Debug, Clone, Copy)]
pub struct Guide {
    /// The kind of credential that it ends in: `netsuite-m2m`.
    pub credential: &'static str,
    /// What it is for.
    pub purpose: Purpose,
    /// For a renewal, the kind that it starts from; for a setup, the same as `credential`.
    pub from: &'static str,
    /// The steps, in order.
    pub steps: &'static [Step],
}

/// One step of a guide.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// Its name, for scripts and for going on after a stop: `block-old-key`.
    pub id: &'static str,
    /// What is done, in a few words.
    pub title: &'static str,
    /// The path through the vendor's own menus, with its own labels; empty where the step is tieout's own.
    pub menu: &'static str,
    /// What to do there, one instruction to a line, with the vendor's own labels.
    pub instructions: &'static [&'static str],
    /// What to mind *before* the page is opened: a secret that is shown once. Empty where there is nothing.
    pub warning: &'static str,
    /// The fields of the credential that the step yields, by their names in JSON.
    pub yields: &'static [&'static str],
    /// How it is known to be done.
    pub proof: Proof,
}
