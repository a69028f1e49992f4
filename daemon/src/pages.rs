//! Pages at the admin address: what a part shows of itself, as HTML for people and as JSON for programs.
//!
//! A part registers a [`Page`] under a path. `GET /path` is answered with HTML and `GET /path.json` with the same data as
//! JSON; so are the paths below, such as `/path/below` and `/path/below.json`. What is shown is one value, a [`View`], of
//! which both forms are made. Names that come from outside stand in parameters, where no browser takes `..` for a step up.
//!
//! A page never sees HTTP. It is asked on a thread that may block, and few are asked at a time.
//!
//! | module | what it does |
//! |---|---|
//! | [`html`] | text, numbers and sizes as HTML |
//! | `table` | tables and lists of facts |
//! | `document` | what surrounds a page's own HTML |
//! | `request` | what is asked of a page, and links to others |

use std::fmt::{self, Debug};
use std::sync::Arc;

use parking_lot::RwLock;
use serde::Serialize;
use tokio::sync::Semaphore;

pub(crate) mod document;
pub mod html;
mod request;
mod table;
#[cfg(test)]
mod tests;

pub use request::{Form, Request};
pub use table::{Cell, Column, facts, table};

/// Pages that are made at a time: whoever asks for more waits, and the part goes on with its work.
const AT_ONCE: usize = 2;

/// What a part shows of itself.
pub trait Page: Debug + Send + Sync {
    /// Shows what is asked for. May block.
    ///
    /// # Errors
    /// There is no such thing, or nothing can be shown at the moment.
    fn show(&self, request: &Request) -> Result<Shown, PageError>;
}

/// What is shown: the value itself is the JSON.
pub trait View: Serialize {
    /// What it is, as text.
    fn title(&self) -> String;

    /// Writes it as HTML, without the document around it.
    ///
    /// # Errors
    /// Only if `out` refuses, which a string does not.
    fn html(&self, request: &Request, out: &mut String) -> fmt::Result;
}

/// An answer in the form that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// For people.
    Html {
        /// What it is, as text.
        title: String,
        /// HTML that stands within a document.
        body: String,
    },
    /// For programs.
    Json(Vec<u8>),
}

impl Shown {
    /// A view in the form that was asked for.
    ///
    /// # Errors
    /// The view cannot be written: a mistake of the part.
    pub fn of(view: &impl View, request: &Request) -> Result<Self, PageError> {
        match request.form() {
            Form::Html => {
                let mut body = String::new();
                view.html(request, &mut body)?;
                Ok(Shown::Html { title: view.title(), body })
            }
            Form::Json => {
                let mut json = serde_json::to_vec_pretty(view)?;
                json.push(b'\n');
                Ok(Shown::Json(json))
            }
        }
    }
}

/// Why nothing is shown.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// There is nothing of that name; the text says what.
    #[error("{0}")]
    NotFound(String),
    /// The part does not run.
    #[error("{0}")]
    Unavailable(&'static str),
    /// The view could not be written as HTML.
    #[error("the page cannot be written: {0}")]
    Html(#[from] fmt::Error),
    /// The view could not be written as JSON.
    #[error("the page cannot be written: {0}")]
    Json(#[from] serde_json::Error),
    /// The page died.
    #[error("the page failed: {0}")]
    Failed(#[from] tokio::task::JoinError),
}

/// The pages of this process; clones share them.
#[derive(Clone, Debug)]
pub struct Pages {
    registered: Arc<RwLock<Vec<Registered>>>,
    turns: Arc<Semaphore>,
}

#[derive(Debug)]
struct Registered {
    path: &'static str,
    title: &'static str,
    page: Arc<dyn Page>,
}

impl Default for Pages {
    fn default() -> Self {
        Self { registered: Arc::default(), turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Pages {
    /// Shows `page` at a path, such as `broker`, in the place of what was shown there. The title says what it shows.
    pub fn register(&self, path: &'static str, title: &'static str, page: impl Page + 'static) {
        let mut registered = self.registered.write();
        registered.retain(|other| other.path != path);
        registered.push(Registered { path, title, page: Arc::new(page) });
    }

    /// The paths and titles of all pages.
    pub(crate) fn list(&self) -> Vec<(&'static str, &'static str)> {
        self.registered.read().iter().map(|page| (page.path, page.title)).collect()
    }

    /// Asks the page that a request is for.
    pub(crate) async fn show(&self, request: &Request) -> Result<Shown, PageError> {
        let Some(page) = self.find(request.root()) else {
            return Err(PageError::NotFound("there is no such page".to_owned()));
        };
        // The semaphore is never closed; without a permit a page would just not be counted.
        let turn = self.turns.clone().acquire_owned().await.ok();
        let request = request.clone();
        let shown = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            page.show(&request)
        });
        shown.await?
    }

    fn find(&self, path: &str) -> Option<Arc<dyn Page>> {
        let registered = self.registered.read();
        registered.iter().find(|page| page.path == path).map(|page| Arc::clone(&page.page))
    }
}
