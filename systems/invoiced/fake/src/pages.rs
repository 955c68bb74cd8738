//! Pages: fetched one after the other, and linked to each other (README §Lists).

use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::sync::PoisonError;

use crate::call::{Call, Content, Reply};
use crate::json::Json;
use crate::problem::Problem;

/// Objects on a page where the caller doesn't say, and at most.
const PER_PAGE: usize = 100;
/// How many lists are remembered.
const LISTS: usize = 4096;

/// How far each list was fetched.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    fetched: HashMap<String, usize>,
    order: VecDeque<String>,
}

impl Pages {
    /// Takes note of a page; refuses one that skips others.
    fn fetch(&mut self, list: String, page: usize) -> Result<(), Problem> {
        let reached = self.fetched.get(&list).copied().unwrap_or(0);
        if page > reached + 1 {
            let message = format!("Page {page} can't be fetched before page {} was", page - 1);
            return Err(Problem::param("page", message));
        }
        if reached == 0 {
            self.order.push_back(list.clone());
            if self.order.len() > LISTS
                && let Some(oldest) = self.order.pop_front()
            {
                self.fetched.remove(&oldest);
            }
        }
        self.fetched.insert(list, page.max(reached));
        Ok(())
    }
}

/// The switches that pages heed.
pub(crate) struct Habits {
    /// Pages that skip others are refused.
    pub(crate) sequential: bool,
    /// The last page names itself as the next one.
    pub(crate) next_is_self: bool,
}

/// The page that a call asks for, of a list so long.
pub(crate) fn page(
    call: &Call<'_>,
    habits: &Habits,
    total: usize,
    object: impl Fn(usize) -> Json,
) -> Result<Reply, Problem> {
    let at_least_one = |name: &'static str, unset: usize| {
        let given = call.query.whole(name, "is not a number")?;
        let Some(given) = given else { return Ok(unset) };
        let whole = usize::try_from(given).ok().filter(|number| *number > 0);
        whole.ok_or_else(|| Problem::param(name, format!("{name} must be at least 1")))
    };
    let number = at_least_one("page", 1)?;
    let size = at_least_one("per_page", PER_PAGE)?.min(PER_PAGE);
    let path = format!("/{}", call.path.join("/"));
    let rest = call.query.without_page();
    if habits.sequential {
        let list = format!("{path}?{rest}&{size}");
        let mut pages = call.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.fetch(list, number)?;
    }
    let last = total.div_ceil(size).max(1);
    let start = (number - 1).saturating_mul(size).min(total);
    let end = start.saturating_add(size).min(total);
    let objects: Vec<Json> = (start..end).map(object).collect();
    let mark = if rest.is_empty() { "" } else { "&" };
    let lead = format!("{}{path}?{rest}{mark}", call.base);
    let link = |page: usize| format!("<{lead}page={page}&per_page={size}>");
    let mut links = format!("{}; rel=\"self\", {}; rel=\"first\"", link(number), link(1));
    let next = if number < last {
        Some(number + 1)
    } else {
        habits.next_is_self.then_some(number)
    };
    if let Some(next) = next {
        // Writing to a string can't fail.
        let _ = write!(links, ", {}; rel=\"next\"", link(next));
    }
    let _ = write!(links, ", {}; rel=\"last\"", link(last));
    Ok(Reply {
        status: 200,
        content: Content::Page {
            objects: objects.into(),
            total,
            links,
        },
    })
}
