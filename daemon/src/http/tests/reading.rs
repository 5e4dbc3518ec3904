use super::*;
#[tokio::test]
async fn show() {
    for path in [
        "/api/v1/status",
        "/api/v1/cost?by=team,space&window=today&idle=true",
        "/api/v1/spaces",
        "/api/v1/spaces/lab",
        "/api/v1/nodes",
        "/api/v1/savings?by=policy",
        "/api/v1/problems",
        "/readyz",
        "/healthz",
        "/allocation?window=today&aggregate=pod&includeIdle=true",
        "/allocation/summary?window=today&aggregate=team&step=6h",
        "/assets?window=today",
        "/metrics",
        "/nothing",
        "/api/v1/cost?window=soon",
        "/allocation?window=soon",
    ] {
        let answer = get(path).await;
        println!(
            "=== {path} {}\n{}",
            answer.status,
            if answer.text.starts_with('{') {
                serde_json::to_string_pretty(&answer.json()).unwrap()
            } else {
                answer.text
            }
        );
    }
}
