//! `tieout webhooks`: how each connection hears of changes without asking, and the address that NetSuite pushes to.

use clap::Args;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tieout_kit::webhooks::Webhooks;

use crate::assemble::Shared;
use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;
use crate::subscriptions::{Keeper, Side, address, sides};

/// What `webhooks` takes.
#[derive(Debug, Args)]
pub struct WebhooksArgs {
    /// Which connections; all if none is named.
    #[arg(value_name = "CONN")]
    pub connections: Vec<String>,
    /// Show the secret address that NetSuite pushes to. Whoever knows it can have a run begin, and nothing else.
    #[arg(long)]
    pub show_secret: bool,
    /// Have BILL or Alternative Payments use a new key, for the connections that are named. The old one is good until a
    /// notification has come through with the new one; `tieout serve` must be running.
    #[arg(long, requires = "connections")]
    pub renew_key: bool,
    /// Make a key that NetSuite's script signs what it pushes with, for the connections that are named, and show it this
    /// once. What isn't signed is turned away from then on; the key before it is good for another week.
    #[arg(long, requires = "connections")]
    pub push_key: bool,
    /// Take what NetSuite pushes unsigned again.
    #[arg(long, requires = "connections", conflicts_with = "push_key")]
    pub no_push_key: bool,
}

/// Tells of each side what is subscribed, and when it was last heard of.
pub async fn run(global: &Global, args: &WebhooksArgs) -> Result<Exit, Failure> {
    let home = Home::open(&global.place()).await?;
    let (vault, shared) = (home.vault().await?, Shared::new()?);
    let keeper = Keeper {
        home: &home,
        vault: &vault,
        shared: &shared,
    };
    let mut told = Vec::new();
    for (name, config) in home.config.chosen(&args.connections)? {
        for side in sides(name, config) {
            if let (true, Some(Webhooks::Signed(signed))) = (args.renew_key, side.system.webhooks) {
                let confirmed = keeper.renew_key((side, signed)).await?;
                renewed(global, side, confirmed);
            }
            let made = push_key(&keeper, side, args).await?;
            let mut side = tell(&keeper, side, args.show_secret).await?;
            if let (Some(key), Some(side)) = (made, &mut side) {
                side["push_key"] = json!(key.expose_secret());
            }
            told.extend(side);
        }
    }
    if global.json {
        output::json(&json!({"webhooks": told}));
    } else {
        told.iter().for_each(print);
    }
    Ok(Exit::Done)
}

/// Makes or removes the key of a side's pushes, as it was asked to. Gives the one that was made.
async fn push_key(
    keeper: &Keeper<'_>,
    side: Side<'_>,
    args: &WebhooksArgs,
) -> Result<Option<SecretString>, Failure> {
    if !matches!(side.system.webhooks, Some(Webhooks::SecretPath)) {
        return Ok(None);
    }
    if args.no_push_key {
        keeper.remove_push_keys(side).await?;
    }
    if !args.push_key {
        return Ok(None);
    }
    keeper.make_push_key(side).await.map(Some)
}

fn renewed(global: &Global, side: Side<'_>, confirmed: bool) {
    if !global.json && !global.quiet {
        let old = if confirmed {
            "is good for nothing any more"
        } else {
            "is good until the next daily check, for what is on its way"
        };
        output::line(&format!(
            "{}: {}: the new key is in use, and the old one {old}",
            side.connection, side.system.id
        ));
    }
}

async fn tell(
    keeper: &Keeper<'_>,
    side: Side<'_>,
    show_secret: bool,
) -> Result<Option<Value>, Failure> {
    let public_url = keeper.home.config.public_url.as_deref();
    let url = public_url.map(|public_url| address(public_url, side));
    let (how, url) = match side.system.webhooks {
        None => return Ok(None),
        Some(Webhooks::Signed(_)) => {
            let subscribed = keeper.kept(side).await?;
            (
                json!({"signed": true, "subscription": subscribed.map(|it| it.id)}),
                url,
            )
        }
        Some(Webhooks::ByHand(by_hand)) => {
            let key = keeper.key(side, by_hand).await?;
            (
                json!({"signed": true, "menu": by_hand.menu, "key": key.is_some()}),
                url,
            )
        }
        Some(Webhooks::SecretPath) => {
            let signed = keeper.push_keys(side).await?.is_some();
            let secret = match show_secret {
                true => keeper.secret(side).await?,
                false => SecretString::from("SECRET"),
            };
            let url = url.map(|url| format!("{url}/{}", secret.expose_secret()));
            (json!({"signed": signed, "secret_path": true}), url)
        }
    };
    let store = keeper.home.store.connection(side.connection);
    let seen = store.hints_seen(side.system.id.as_str()).await?;
    Ok(Some(json!({
        "connection": side.connection, "system": side.system.id, "address": url, "proof": how,
        "last_heard": seen.last, "waiting_since": seen.waiting_since,
    })))
}

fn print(told: &Value) {
    let text = |name: &str| told[name].as_str().unwrap_or("never").to_owned();
    let proof = &told["proof"];
    let how = match (&proof["signed"], &proof["subscription"]) {
        (Value::Bool(false), _) => "a secret path".to_owned(),
        _ if proof["secret_path"] == true => "a secret path, and signed".to_owned(),
        _ if proof["key"] == true => "signed, its secret is known".to_owned(),
        _ if proof["key"] == false => format!(
            "signed; enter the address over there under {}, and set its secret as `webhook_secret` of the credential",
            proof["menu"].as_str().unwrap_or_default()
        ),
        (_, Value::String(id)) => format!("signed, subscription {id}"),
        _ => "signed, not subscribed yet: `tieout serve` does that".to_owned(),
    };
    let address = match &told["address"] {
        Value::String(address) => address.clone(),
        _ => "no address: `server.public_url` isn't set".to_owned(),
    };
    output::line(&format!(
        "{}: {}: {address} ({how}), last heard {}",
        text("connection"),
        text("system"),
        text("last_heard")
    ));
    if let Value::String(key) = &told["push_key"] {
        output::line(&format!("  the key to sign with, shown this once: {key}"));
    }
}
