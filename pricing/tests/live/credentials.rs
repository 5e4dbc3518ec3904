//! Where AWS credentials come from.

use std::collections::BTreeMap;

use nightcap_core::units::{Instant, Millis};
use nightcap_pricing::live::Secret;
use nightcap_pricing::live::aws::credentials::{CredentialSource, Credentials, Origin};

use super::NOW;
use super::server::{Server, client, ok, status};

const STS: &str = r#"<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult>
    <SubjectFromWebIdentityToken>system:serviceaccount:nightcap:nightcap</SubjectFromWebIdentityToken>
    <AssumedRoleUser><Arn>arn:aws:sts::111122223333:assumed-role/prices/nightcap</Arn></AssumedRoleUser>
    <Credentials>
      <SessionToken>session&amp;token</SessionToken>
      <SecretAccessKey>secret-key</SecretAccessKey>
      <Expiration>2026-08-01T13:00:00Z</Expiration>
      <AccessKeyId>ASIAEXAMPLE</AccessKeyId>
    </Credentials>
  </AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>"#;
const AGENT: &str = r#"{"AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "secret-key", "Token": "session&token",
    "AccountId": "111122223333", "Expiration": "2026-08-01T13:00:00Z"}"#;

fn temporary() -> Credentials {
    Credentials {
        access_key_id: "ASIAEXAMPLE".to_owned(),
        secret_access_key: Secret::new("secret-key"),
        session_token: Some(Secret::new("session&token")),
        expires: Some(NOW + Millis::HOUR),
    }
}

fn find(variables: &[(&str, &str)]) -> Result<Origin, String> {
    let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
    let variable = |name: &str| variables.get(name).map(|value| (*value).to_owned());
    Origin::find(variable, "https://sts.{region}.amazonaws.com", "us-east-1")
        .map_err(|error| error.to_string())
}

#[test]
fn the_environment_names_their_origin() {
    assert_eq!(
        find(&[("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_ROLE_ARN", "r")]),
        Ok(Origin::Given(Credentials {
            access_key_id: "AKID".into(),
            secret_access_key: Secret::new("s"),
            session_token: None,
            expires: None
        }))
    );
    let irsa =
        [("AWS_ROLE_ARN", "arn:r"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"), ("AWS_REGION", "eu-west-1")];
    assert_eq!(
        find(&irsa),
        Ok(Origin::WebIdentity {
            role: "arn:r".into(),
            token_file: "/t".into(),
            session: "nightcap".into(),
            sts_url: "https://sts.eu-west-1.amazonaws.com".into()
        })
    );
    let agent = "http://169.254.170.23/v1/credentials";
    assert_eq!(
        find(&[
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", agent),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/t")
        ]),
        Ok(Origin::Agent { uri: agent.into(), token_file: Some("/t".into()) })
    );
    assert!(
        find(&[("AWS_ACCESS_KEY_ID", "")])
            .unwrap_err()
            .starts_with("no AWS credentials: neither AWS_ACCESS_KEY_ID,")
    );
}

#[test]
fn the_token_is_not_sent_to_anybody() {
    for uri in [
        "http://example.com/x",
        "http://169.254.170.23.example.com/",
        "http://localhost.example.com",
        "ftp://127.0.0.1",
    ] {
        let error = find(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri)]).unwrap_err();
        assert!(error.contains(uri) && error.contains("a token is sent to the agent"), "{error}");
    }
    for uri in ["http://[fd00:ec2::23]/v1/credentials", "http://127.0.0.1:8080/x", "https://example.com/x"] {
        assert!(find(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri)]).is_ok(), "{uri}");
    }
}

#[tokio::test]
async fn a_web_identity_is_exchanged_once_and_renewed_in_time() {
    let server = Server::new(|_, _| ok(STS)).await;
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "the+web/token\n").unwrap();
    let origin = Origin::WebIdentity {
        role: "arn:aws:iam::111122223333:role/prices".into(),
        token_file: token.path().into(),
        session: "nightcap".into(),
        sts_url: server.url.clone(),
    };
    let source = CredentialSource::new(origin, client().0);
    assert_eq!(source.get(NOW).await.unwrap(), temporary());
    assert_eq!(source.get(NOW + Millis::from_minutes(54)).await.unwrap(), temporary());
    let asked = server.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].method.as_str(), asked[0].target.as_str()), ("POST", "/"));
    assert_eq!(
        asked[0].body,
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fprices&\
         RoleSessionName=nightcap&WebIdentityToken=the%2Bweb%2Ftoken"
    );
    assert_eq!(asked[0].header("authorization"), "");
    source.get(NOW + Millis::from_minutes(56)).await.unwrap();
    assert_eq!(server.asked().len(), 2);
    assert!(!format!("{source:?} {:?}", source.get(NOW).await).contains("secret-key"));
}

#[tokio::test]
async fn the_agent_of_pod_identity_is_asked_with_its_token() {
    let server =
        Server::new(
            |asked, _| {
                if asked.header("authorization") == "pod-token" { ok(AGENT) } else { status(401, "") }
            },
        )
        .await;
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "pod-token").unwrap();
    let uri = format!("{}/v1/credentials", server.url);
    let origin = Origin::Agent { uri, token_file: Some(token.path().into()) };
    assert_eq!(CredentialSource::new(origin, client().0).get(NOW).await.unwrap(), temporary());
    assert_eq!(server.targets(), ["/v1/credentials"]);
}

#[tokio::test]
async fn answers_that_hold_no_key_say_so_without_showing_one() {
    for (body, problem) in [
        (
            "{\"AccessKeyId\": \"secret-key\"",
            "the answer of the credentials agent cannot be read: line 1, column 28",
        ),
        (
            "{\"AccessKeyId\": \"\", \"SecretAccessKey\": \"\", \"Token\": \"\", \"Expiration\": \"2026-08-01T13:00:00Z\"}",
            "no AWS credentials: the answer holds no key",
        ),
        (
            "{\"AccessKeyId\": \"a\", \"SecretAccessKey\": \"b\", \"Token\": \"\", \"Expiration\": \"soon\"}",
            "no AWS credentials: the answer's expiration \"soon\" is no instant",
        ),
    ] {
        let server = Server::new(move |_, _| ok(body)).await;
        let origin = Origin::Agent { uri: server.url.clone(), token_file: None };
        let error = CredentialSource::new(origin, client().0).get(Instant(0)).await.unwrap_err();
        assert_eq!(error.to_string(), problem);
    }
    let origin =
        Origin::Agent { uri: "http://127.0.0.1:1".into(), token_file: Some("/nowhere/token".into()) };
    let error = CredentialSource::new(origin, client().0).get(NOW).await.unwrap_err().to_string();
    assert!(
        error.starts_with("no AWS credentials: cannot read the token /nowhere/token: No such file"),
        "{error}"
    );
}
