//! What `suitescript/` installs, held against what this client and the program use.

use std::collections::BTreeSet;

use serde_json::{Map, json};
use tieout_kit::webhooks::PUSH_SIGNATURE_HEADER;

use crate::permissions::role;
use crate::settings::{FILES_DEPLOYMENT, Settings};

const MANIFEST: &str = include_str!("../../../suitescript/scripts/src/manifest.xml");
const DEPLOY: &str = include_str!("../../../suitescript/scripts/src/deploy.xml");
const FILES: &str =
    include_str!("../../../suitescript/scripts/src/Objects/customscript_tieout_files.xml");
const PUSH: &str =
    include_str!("../../../suitescript/scripts/src/Objects/customscript_tieout_push.xml");
const PREFERENCES: &str =
    include_str!("../../../suitescript/scripts/src/Objects/customrecord_tieout_preferences.xml");
const FILES_SCRIPT: &str = include_str!(
    "../../../suitescript/scripts/src/FileCabinet/SuiteScripts/tieout/tieout_files.js"
);
const PUSH_SCRIPT: &str =
    include_str!("../../../suitescript/scripts/src/FileCabinet/SuiteScripts/tieout/tieout_push.js");

/// An element of an object's file. Such files have no namespaces, no character data beside text, and no entities.
#[derive(Debug)]
struct Element {
    name: String,
    script_id: Option<String>,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// The whole file, if it is well formed.
    fn parse(text: &str) -> Result<Self, String> {
        let mut open = vec![Self::named("")];
        let mut rest = text;
        while let Some(at) = rest.find('<') {
            let top = open.last_mut().ok_or("it ends twice")?;
            top.text.push_str(rest[..at].trim());
            rest = &rest[at..];
            if let Some(after) = rest.strip_prefix("<!--") {
                rest = after.split_once("-->").ok_or("a comment doesn't end")?.1;
                continue;
            }
            let (tag, after) = rest[1..].split_once('>').ok_or("a tag doesn't end")?;
            rest = after;
            if tag.starts_with('?') {
                continue;
            }
            if let Some(name) = tag.strip_prefix('/') {
                let closed = open.pop().ok_or("it ends twice")?;
                if closed.name != name {
                    return Err(format!("<{}> is closed by </{name}>", closed.name));
                }
                let above = open.last_mut().ok_or("it ends twice")?;
                above.children.push(closed);
                continue;
            }
            let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
            let mut element = Self::named(name);
            element.script_id = attributes
                .split_once("scriptid=\"")
                .and_then(|(_, id)| Some(id.split_once('"')?.0.to_owned()));
            open.push(element);
        }
        match (open.pop(), open.is_empty(), rest.trim()) {
            (Some(mut root), true, "") if root.children.len() == 1 => Ok(root.children.remove(0)),
            _ => Err("it has no one element that holds all others".to_owned()),
        }
    }

    fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            script_id: None,
            text: String::new(),
            children: Vec::new(),
        }
    }

    /// All elements of a name, at any depth.
    fn all<'a>(&'a self, name: &str) -> Vec<&'a Self> {
        let mut found: Vec<&Self> = self
            .children
            .iter()
            .flat_map(|child| child.all(name))
            .collect();
        if self.name == name {
            found.push(self);
        }
        found
    }

    fn text_of(&self, name: &str) -> &str {
        let found = self.all(name);
        let [one] = found[..] else {
            panic!("{name}: {found:?}")
        };
        &one.text
    }
}

fn object(text: &str, kind: &str, id: &str) -> Element {
    let object = Element::parse(text).unwrap_or_else(|why| panic!("{id}: {why}"));
    assert_eq!(object.name, kind);
    assert_eq!(object.script_id.as_deref(), Some(id));
    for one in [
        "scriptdeployment",
        "scriptcustomfield",
        "customrecordcustomfield",
    ] {
        for element in object.all(one) {
            let id = element.script_id.as_deref().unwrap_or_default();
            assert!((1..=40).contains(&id.len()), "{id} is no script id");
        }
    }
    object
}

/// The script ids of the roles, as they stand in parentheses.
fn roles() -> [&'static str; 2] {
    [false, true].map(|receivables| {
        let id = role(receivables).rsplit('(').next().unwrap();
        id.trim_end_matches(')')
    })
}

#[test]
fn a_file_that_is_not_well_formed_is_noticed() {
    for text in [
        "",
        "<a>",
        "<a></b>",
        "<a></a><b></b>",
        "<a><!-- </a>",
        "<a></a></a>",
    ] {
        assert!(Element::parse(text).is_err(), "{text}");
    }
}

#[test]
fn the_script_of_the_files_is_the_one_that_the_client_asks() {
    let restlet = object(FILES, "restlet", "customscript_tieout_files");
    let deployments = restlet.all("scriptdeployment");
    assert_eq!(deployments.len(), 1);
    assert_eq!(deployments[0].script_id.as_deref(), Some(FILES_DEPLOYMENT));
    assert_eq!(restlet.text_of("isdeployed"), "T");
    assert_eq!(restlet.text_of("status"), "RELEASED");
    // Nobody but tieout's roles.
    assert_eq!(restlet.text_of("allroles"), "F");
    let audience = roles().map(|id| format!("[scriptid={id}]")).join("|");
    assert_eq!(restlet.text_of("audslctrole"), audience);
    let script = "[/SuiteScripts/tieout/tieout_files.js]";
    assert_eq!(restlet.text_of("scriptfile"), script);
    assert!(FILES_SCRIPT.contains("@NScriptType Restlet"));
    let table = json!({"account": "1", "pdf_script": restlet.script_id});
    let table: Map<_, _> = table.as_object().cloned().unwrap();
    let set = Settings::from_table(&table).unwrap().files.unwrap();
    assert_eq!(set.deployment, FILES_DEPLOYMENT);
}

#[test]
fn what_the_script_of_the_files_asks_of_a_role_is_what_the_roles_have() {
    let keys: BTreeSet<&str> = FILES_SCRIPT
        .split("'TRAN_")
        .skip(1)
        .filter_map(|rest| rest.split_once('\''))
        .map(|(key, _)| key)
        .collect();
    assert_eq!(keys, BTreeSet::from(["CUSTINVC", "VENDBILL"]));
    for (receivables, key) in [(true, "TRAN_CUSTINVC"), (false, "TRAN_VENDBILL")] {
        let mut granted = crate::permissions::needed(receivables);
        assert!(granted.any(|one| one.key == key), "{key}");
    }
}

#[test]
fn changes_of_every_kind_that_is_kept_in_agreement_are_pushed() {
    let script = object(PUSH, "usereventscript", "customscript_tieout_push");
    let deployments = script.all("scriptdeployment");
    let records: BTreeSet<&str> = deployments
        .iter()
        .map(|one| one.text_of("recordtype"))
        .collect();
    let wanted = [
        "INVOICE",
        "CUSTOMER",
        "CUSTOMERPAYMENT",
        "CREDITMEMO",
        "VENDORBILL",
        "VENDORPAYMENT",
        "DEPOSIT",
    ];
    assert_eq!(records, BTreeSet::from(wanted));
    for deployment in deployments {
        assert_eq!(deployment.text_of("allroles"), "T");
        assert_eq!(deployment.text_of("isdeployed"), "T");
    }
    assert!(PUSH_SCRIPT.contains("@NScriptType UserEventScript"));
    let parameter = script.all("scriptcustomfield");
    let [parameter] = parameter[..] else {
        panic!("{parameter:?}")
    };
    let id = parameter.script_id.as_deref().unwrap();
    assert!(PUSH_SCRIPT.contains(&format!("'{id}'")), "{id}");
    assert!(
        PUSH_SCRIPT
            .to_lowercase()
            .contains(&format!("'{PUSH_SIGNATURE_HEADER}'"))
    );
    for id in roles() {
        assert!(PUSH_SCRIPT.contains(&format!("'{id}'")), "{id}");
    }
}

#[test]
fn the_preferences_are_those_that_the_script_reads_and_the_roles_may_see() {
    let record = object(
        PREFERENCES,
        "customrecordtype",
        "customrecord_tieout_preferences",
    );
    assert!(FILES_SCRIPT.contains("'customrecord_tieout_preferences'"));
    let fields = record.all("customrecordcustomfield");
    assert_eq!(fields.len(), 3);
    for field in fields {
        let id = field.script_id.as_deref().unwrap();
        assert!(FILES_SCRIPT.contains(&format!("'{id}'")), "{id}");
    }
    let permitted: Vec<String> = record
        .all("permission")
        .iter()
        .map(|one| {
            assert_eq!(one.text_of("permittedlevel"), "VIEW");
            one.text_of("permittedrole").to_owned()
        })
        .collect();
    assert_eq!(permitted, roles().map(|id| format!("[scriptid={id}]")));
}

#[test]
fn the_project_names_what_it_needs_and_deploys_all_of_it() {
    let manifest = Element::parse(MANIFEST).unwrap();
    let objects: Vec<&str> = manifest
        .all("object")
        .iter()
        .map(|one| one.text.as_str())
        .collect();
    assert_eq!(objects, roles());
    let features: Vec<&str> = manifest
        .all("feature")
        .iter()
        .map(|one| one.text.as_str())
        .collect();
    assert_eq!(features, ["SERVERSIDESCRIPTING", "CUSTOMRECORDS"]);
    let deploy = Element::parse(DEPLOY).unwrap();
    let paths: Vec<&str> = deploy
        .all("path")
        .iter()
        .map(|one| one.text.as_str())
        .collect();
    assert_eq!(
        paths,
        ["~/FileCabinet/SuiteScripts/tieout/*", "~/Objects/*"]
    );
}
