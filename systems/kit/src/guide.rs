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

/// The steps to a credential, in the only order that is safe.
#[derive(Debug, Clone, Copy)]
pub struct Guide {
    /// The kind of credential that it ends in: `netsuite-m2m`.
    pub credential: &'static str,
    /// What it is for.
    pub purpose: Purpose,
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
}
