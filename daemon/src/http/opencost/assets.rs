//! `GET /assets`: what there is to pay for, and what it cost: the bill.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use nightcap_core::money::query::{Filter, FilterField, FlatSum};
use nightcap_core::units::Window;
use utoipa::ToSchema;

use super::Envelope;
use super::asset::{Asset, AssetProperties, flat, node, typed};
use super::compat::Compat;
use crate::http::AppState;
use crate::http::big::off_thread;
use crate::http::error::{OpenCostError, OpenCostRefusal, Refusal};
use crate::http::params::Params;
use crate::http::v1_warnings;
use crate::records::Records;

/// What `OpenCost` writes where it knows nothing.
const UNDEFINED: &str = "__undefined__";

/// The answer of `/assets`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape of the answer, for the OpenAPI document")]
pub(in crate::http) struct AssetsAnswer {
    /// Always 200.
    code: u16,
    /// Always `success`.
    status: String,
    /// From key to asset.
    data: BTreeMap<String, Asset>,
    /// What a reader should know before relying on the numbers.
    warning: Option<String>,
}

/// What there is to pay for, and what it cost.
#[utoipa::path(get, path = "/assets", tag = "opencost",
    params(
        ("window" = String, Query, description = "As for /allocation"),
        ("filter" = Option<String>, Query, description = "Which assets to tell: assetType, name, category, cluster, provider, providerID, service, team, owner, as in `assetType:\"disk\"+name<~:\"pvc-\"`"),
        ("accumulate" = Option<String>, Query, description = "Taken and not needed: true, all, false or none; the assets are one set over the window"),
        ("timezone" = Option<String>, Query, description = "The zone in which days begin. Default: the daemon's"),
        ("compat" = Option<String>, Query, description = "opencost: amounts rounded to five decimals"),
    ),
    responses(
        (status = 200, description = "The assets by key", body = AssetsAnswer),
        (status = 400, description = "A parameter cannot be understood", body = OpenCostError),
        (status = 503, description = "The daemon is stopping", body = OpenCostError),
    ))]
pub(in crate::http) async fn assets(
    State(state): State<AppState>,
    uri: Uri,
) -> Result<Json<Envelope<BTreeMap<String, Asset>>>, OpenCostRefusal> {
    let snapshot = state.snapshot().await?;
    let mut params = Params::of(&uri)?;
    let compat = Compat::read(&mut params)?;
    let zone = params.zone(state.zone)?;
    let window = params.window(None, snapshot.at, zone)?;
    let filter = match params.take("filter") {
        None => Filter::All,
        Some(text) => Filter::parse_for_assets(&text)
            .map_err(|error| Refusal::bad("bad-filter", error.to_string()).value(&text))?,
    };
    // There is one set over the whole window, whether it is asked for or not.
    if let Some(value) = params.take("accumulate")
        && !["true", "t", "1", "all", "false", "f", "0", "none"].contains(&&*value.to_ascii_lowercase())
    {
        let refusal = Refusal::bad("unsupported", "assets come as one sum over the window");
        return Err(refusal.value(&format!("accumulate={value}")).opencost());
    }
    params.finish()?;
    let warnings = v1_warnings(&snapshot, window);
    let assets = off_thread(move || by_key(&snapshot, window, &filter, compat)).await?;
    Ok(Json(Envelope::new(assets, &warnings)))
}

fn by_key(
    snapshot: &Records,
    window: Window,
    filter: &Filter,
    compat: Compat,
) -> Result<BTreeMap<String, Asset>, Refusal> {
    let table = snapshot.assets(window)?;
    let nodes = table.nodes.iter().map(|sum| {
        let asset = node(sum, &snapshot.cluster, window, compat);
        let shown = passes(filter, "Node", &asset.properties, None);
        (key("Node", &asset.properties), &sum.node.uid, Asset::Node(Box::new(asset)), shown)
    });
    let flat = table.flat.iter().map(|sum| {
        let common = flat(sum, &snapshot.cluster, window, compat);
        let shown = passes(filter, common.r#type, &common.properties, Some(sum));
        (key(common.r#type, &common.properties), &sum.asset.uid, typed(common, sum), shown)
    });
    let mut assets = BTreeMap::new();
    for (mut key, uid, asset, shown) in nodes.chain(flat) {
        if !shown {
            continue;
        }
        if assets.contains_key(&key) {
            // A machine that joined twice: two nodes of one name and id.
            key = format!("{key}/{uid}");
        }
        assets.insert(key, asset);
    }
    Ok(assets)
}

fn passes(filter: &Filter, kind: &'static str, of: &AssetProperties, sum: Option<&FlatSum>) -> bool {
    let payer = sum.and_then(|sum| sum.payer.as_ref());
    filter.passes(&|field| match field {
        FilterField::Cluster => Some(of.cluster.as_str()),
        FilterField::Team => payer.map(|payer| &*payer.team),
        FilterField::Owner => payer.map(|payer| &*payer.owner),
        FilterField::Label(key) => payer.and_then(|payer| payer.labels.get(key)).map(|value| &**value),
        FilterField::OfAsset(name) => match &**name {
            "assettype" => Some(kind),
            "name" => Some(of.name.as_str()),
            "category" => Some(of.category),
            "provider" => Some(of.provider),
            "providerid" => Some(of.provider_id.as_str()),
            "service" => Some(of.service),
            _ => None,
        },
        _ => None,
    })
}

fn key(kind: &str, of: &AssetProperties) -> String {
    let or_undefined = |text: &str| if text.is_empty() { UNDEFINED.to_owned() } else { text.to_owned() };
    [
        or_undefined(of.provider),
        UNDEFINED.to_owned(),
        UNDEFINED.to_owned(),
        of.category.to_owned(),
        of.cluster.clone(),
        kind.to_owned(),
        of.service.to_owned(),
        or_undefined(&of.provider_id),
        of.name.clone(),
    ]
    .join("/")
}
