//! What a role allows.

use super::PageError;
use crate::people::{Person, Role};

/// Goes on if the person may do what this role may.
///
/// # Errors
/// [`PageError::Forbidden`].
pub(super) fn must(person: &Person, role: Role) -> Result<(), PageError> {
    if person.may(role) {
        Ok(())
    } else {
        Err(PageError::Forbidden)
    }
}
