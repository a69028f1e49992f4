use std::fmt;
use std::io;

use super::*;

#[derive(Debug)]
struct Layer(&'static str, Option<Box<Layer>>);

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Layer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|layer| layer as &dyn Error)
    }
}

#[test]
fn causes_are_said_once_each() {
    let error =
        Layer("cannot connect: refused", Some(Box::new(Layer("refused", Some(Box::new(Layer("os", None)))))));
    assert_eq!(chain(&error), "cannot connect: refused: os");
}

#[test]
fn a_failure_names_what_was_tried() {
    let failure = Err::<(), _>(io::Error::other("disk full")).or_fail("cannot write x").unwrap_err();
    assert!(
        matches!(failure, Failure::Failed { message, remedy: None } if message == "cannot write x: disk full")
    );
}

#[test]
fn a_remedy_belongs_to_a_failure_only() {
    assert!(
        matches!(Failure::new("a").remedy("b"), Failure::Failed { remedy: Some(remedy), .. } if remedy == "b")
    );
    assert!(matches!(Failure::OutputClosed.remedy("b"), Failure::OutputClosed));
}
