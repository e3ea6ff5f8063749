//! The handler that stands between a connection and the stack: it answers what needs no work, and passes on the rest.

use std::fmt;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use http::{Method, Request, Response};
use serde_json::Value;
use tower::ServiceExt;
use zcomm_core::{Action, Body, BoxService, Caller, Error, Recallable, Refusal};

use super::app::App;
use super::envelope::{Envelope, RequestId};
use super::fault::{Fault, brief};
use super::live::AfterReply;
use super::rate::{Pace, Rate};
use super::{reply, strict};
use crate::frame::{CloseCode, MessageKind, MessageRef};
use crate::hub::Encoded;
use crate::server::{CloseReason, Connection, Cx, Handler, Reply};

/// Answers the messages of zBifrost's connections.
///
/// In this order: the rate, the identity's expiry, a remembered answer (for which the policy is asked again), the stack.
/// A message without an id waits while an earlier one without an id is pending.
pub(super) struct Front {
    app: Arc<App>,
    stack: BoxService,
}

/// What is kept of one connection.
#[derive(Debug)]
pub(super) struct Session {
    rate: Option<Rate>,
    /// Whether the first message of a connection that nobody vouched for has come.
    spoke: bool,
}

impl Front {
    pub(super) fn new(app: Arc<App>, stack: BoxService) -> Self {
        Self { app, stack }
    }

    /// What can be answered at once, without the stack.
    fn at_once(
        &self,
        caller: &Caller,
        envelope: &Envelope<'_>,
        message: &str,
    ) -> Result<Option<Bytes>, Error> {
        if !is_event_name(envelope.event()) {
            let name = brief(envelope.event());
            return Err(Fault::NoSuchEvent { name }.into());
        }
        let Some(answers) = self.app.remembered() else {
            return Ok(None);
        };
        let who = caller.identity();
        let Some(remembered) = answers.recall(&who.scope(), message.as_bytes()) else {
            return Ok(None);
        };
        let action = remembered.command.action();
        self.app.permit(&who, &action)?;
        Ok(Some(remembered.answer))
    }

    fn pass_on(&self, cx: &mut Cx<'_>, envelope: &Envelope<'_>, message: String) {
        let request = request(cx.connection(), envelope.event(), message);
        let stack = self.stack.clone();
        let id = envelope.id().map(OwnedId::of);
        let (ordered, most) = (id.is_none(), self.app.limits().reply);
        let connection = cx.connection().clone();
        let answer = async move {
            let response = stack.oneshot(request).await;
            if connection.awaits_auth() {
                // It was to say who is there, and nobody believed it, whatever the reason.
                let refusal = Refusal::AuthenticationRequired.to_string();
                connection.close(CloseReason::policy(refusal));
            }
            let mut response = response.unwrap_or_else(|error| reply::error(&error));
            let after = response.extensions_mut().remove::<AfterReply>();
            let (body, fits) = to_body(response, most);
            let (head, tail) = spliced(body, id.as_ref());
            let opening = after.and_then(|after| after.take()).filter(|_| fits);
            let Some(opening) = opening else {
                return Reply::text(head).followed_by(tail);
            };
            // A client has to know the subscription before it hears of it.
            let message = Encoded::from_parts(MessageKind::Text, &[&head, &tail]);
            if connection.send(message).await.is_ok() {
                opening.open().await;
            }
            Reply::none()
        };
        let taken = if ordered {
            cx.run_in_order(answer)
        } else {
            cx.run(answer)
        };
        if taken.is_err() {
            self.refuse(cx, &Fault::Saturated.into(), envelope.id());
        }
    }

    fn refuse(&self, cx: &mut Cx<'_>, error: &Error, id: Option<&RequestId<'_>>) {
        let owned = id.map(OwnedId::of);
        let most = self.app.limits().reply;
        answer_with(
            cx,
            id.is_none(),
            to_reply(reply::error(error), owned.as_ref(), most),
        );
    }

    /// Takes the answer to a question. It is answered by nothing, and waits for nothing: the request that asked may be
    /// the very one that holds up those behind it.
    fn take_answer(&self, cx: &mut Cx<'_>, text: &str) {
        let who = cx.connection().identity();
        let taken = strict::object(text.as_bytes())
            .map_err(Error::from)
            .and_then(|mut members| {
                self.app.permit(&who, &Action::Event("input_response"))?;
                let value = members.remove("value").unwrap_or_default();
                if let Some(id) = members.get("requestId").and_then(Value::as_str) {
                    let questions = self.app.questions();
                    questions.answer(cx.connection().id(), id, value);
                }
                Ok(())
            });
        if let Err(error) = taken {
            self.refuse(cx, &error, Envelope::id_of(text).as_ref());
        }
    }

    /// Takes the first message of somebody whom nobody vouched for: it says who that is, or it is the last.
    fn first(&self, session: &mut Session, cx: &mut Cx<'_>, message: MessageRef<'_>) {
        let text = std::str::from_utf8(message.as_bytes()).ok();
        let envelope = text.and_then(|text| Envelope::of(text).ok());
        let is_auth = envelope.is_some_and(|envelope| envelope.event() == "auth");
        if !is_auth || std::mem::replace(&mut session.spoke, true) {
            return cx.close(CloseReason::policy(
                Refusal::AuthenticationRequired.to_string(),
            ));
        }
        // From here on the door has a deadline of its own.
        cx.disarm();
        self.answer(cx, message);
    }

    /// Answers a message of somebody who is within the rate and still somebody.
    fn answer(&self, cx: &mut Cx<'_>, message: MessageRef<'_>) {
        let Ok(text) = std::str::from_utf8(message.as_bytes()) else {
            return self.refuse(cx, &Fault::NotUtf8.into(), None);
        };
        let envelope = match Envelope::of(text) {
            Ok(envelope) => envelope,
            Err(fault) => return self.refuse(cx, &fault.into(), Envelope::id_of(text).as_ref()),
        };
        if envelope.event() == "input_response" {
            return self.take_answer(cx, text);
        }
        let message = envelope.without_id();
        let caller = Arc::clone(cx.connection().caller());
        if must_wait(cx, envelope.id().is_none()) && is_event_name(envelope.event()) {
            // What is remembered may be older than what the message before it does.
            return self.pass_on(cx, &envelope, message);
        }
        match self.at_once(&caller, &envelope, &message) {
            Ok(None) => self.pass_on(cx, &envelope, message),
            Ok(Some(answer)) => {
                let id = envelope.id().map(OwnedId::of);
                let (head, tail) = spliced(answer, id.as_ref());
                cx.reply_with(Reply::text(head).followed_by(tail));
            }
            Err(error) => self.refuse(cx, &error, envelope.id()),
        }
    }
}

impl Handler for Front {
    type Session = Session;

    fn connect(&self, cx: &mut Cx<'_>) -> Result<Session, CloseReason> {
        if cx.connection().awaits_auth() {
            // It is greeted once it has said who it is.
            cx.arm(self.app.limits().auth, CloseCode::AuthTimeout.into());
        } else {
            self.app.greet(cx.connection())?;
            let hello = self.app.connection_info(cx.connection().caller());
            cx.reply(hello.to_string().as_str());
        }
        let rate = Rate::new(self.app.limits(), Instant::now());
        let spoke = false;
        Ok(Session { rate, spoke })
    }

    fn message(&self, session: &mut Session, cx: &mut Cx<'_>, message: MessageRef<'_>) {
        // Before anything is looked at: what is wrong costs as much as what is right.
        let pace = session
            .rate
            .as_mut()
            .map_or(Pace::Kept, |rate| rate.take(Instant::now()));
        let expired = cx.connection().identity().is_expired(SystemTime::now());
        let refused = match pace {
            Pace::Kept if expired => Error::from(Refusal::InvalidToken),
            Pace::Kept if cx.connection().awaits_auth() => {
                return self.first(session, cx, message);
            }
            Pace::Kept => return self.answer(cx, message),
            Pace::Exceeded | Pace::Flood => Fault::TooFast.into(),
        };
        let text = std::str::from_utf8(message.as_bytes()).ok();
        self.refuse(cx, &refused, text.and_then(Envelope::id_of).as_ref());
        if pace == Pace::Flood {
            cx.close(CloseCode::RateExceeded.into());
        } else if expired {
            cx.close(CloseCode::TokenExpired.into());
        }
    }

    fn disconnect(&self, _session: Session, connection: &Connection, ended: &CloseReason) {
        self.app.questions().forget(connection.id());
        self.app.live().forget(&self.app, connection.id());
        // Who never said who it is was never shown to the application.
        if let Some(hook) = &self.app.offer().on_disconnect
            && !connection.awaits_auth()
        {
            hook(connection, ended);
        }
    }
}

impl fmt::Debug for Front {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Front").finish_non_exhaustive()
    }
}

/// Whether earlier messages have to be answered first: nothing but the order tells the answers without an id apart.
fn must_wait(cx: &Cx<'_>, without_id: bool) -> bool {
    without_id && cx.in_order() > 0
}

/// Answers in its turn; at once if it is nobody else's, or if there is no room to wait.
fn answer_with(cx: &mut Cx<'_>, without_id: bool, reply: Reply) {
    if must_wait(cx, without_id) && !cx.is_saturated() {
        let taken = cx.run_in_order(async move { reply });
        debug_assert!(taken.is_ok(), "there is room");
    } else {
        cx.reply_with(reply);
    }
}

/// An id that outlives its message: the end of every reply object that carries it.
struct OwnedId(Bytes);

impl OwnedId {
    fn of(id: &RequestId<'_>) -> Self {
        Self(format!(",{}{}}}", id.member(), id.json()).into())
    }
}

/// The bytes of a response, and whether they are what it said: there is a most that a reply may have.
fn to_body(response: Response<Body>, most: usize) -> (Bytes, bool) {
    match response.into_body().into_bytes() {
        Some(body) if body.len() <= most => (body, true),
        Some(_) => (whole(reply::error(&Error::TooLarge { limit: most })), false),
        // The application's own layers may answer with a stream, which no message can carry.
        None => (whole(reply::error(&Fault::Streamed.into())), false),
    }
}

fn to_reply(response: Response<Body>, id: Option<&OwnedId>, most: usize) -> Reply {
    let (head, tail) = spliced(to_body(response, most).0, id);
    Reply::text(head).followed_by(tail)
}

fn whole(response: Response<Body>) -> Bytes {
    let body = response.into_body().into_bytes();
    body.expect("error replies are made of bytes at hand")
}

/// A reply object with its id before the last brace, in two parts. The object's bytes are shared, not copied.
fn spliced(object: Bytes, id: Option<&OwnedId>) -> (Bytes, Bytes) {
    match (id, object.strip_suffix(b"}")) {
        (Some(id), Some(open)) => {
            let is_empty = open.ends_with(b"{");
            let end = if is_empty {
                id.0.slice(1..)
            } else {
                id.0.clone()
            };
            (object.slice(..open.len()), end)
        }
        _ => (object, Bytes::new()),
    }
}

fn request(connection: &Connection, event: &str, message: String) -> Request<Body> {
    let mut request = Request::new(Body::from(message));
    *request.method_mut() = Method::POST;
    let path = format!("/{event}").parse();
    *request.uri_mut() = path.expect("`is_event_name` lets only path characters through");
    let extensions = request.extensions_mut();
    extensions.insert(Arc::clone(connection.caller()));
    extensions.insert(*connection.peer());
    extensions.insert(connection.clone());
    // The message names its event, so the same bytes ask for the same again.
    extensions.insert(Recallable);
    request
}

/// Whether an event can have a path. Anything else is nobody's event.
pub(super) fn is_event_name(name: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    !name.is_empty() && name.len() <= 64 && !name.contains("..") && name.bytes().all(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_the_last_member() {
        let envelope = Envelope::of(r#"{"event":"ping","_requestId":"a\"b"}"#).unwrap();
        let id = OwnedId::of(envelope.id().unwrap());
        let lengths = |object: &'static str| {
            let (head, tail) = spliced(object.into(), Some(&id));
            head.len() + tail.len()
        };

        assert_eq!(&id.0[..], br#","_requestId":"a\"b"}"#);
        assert_eq!(
            lengths(r#"{"result":1}"#),
            r#"{"result":1,"_requestId":"a\"b"}"#.len()
        );
        assert_eq!(lengths("{}"), r#"{"_requestId":"a\"b"}"#.len());
    }

    #[test]
    fn a_reply_that_is_too_large_is_an_error_with_the_same_id() {
        let envelope = Envelope::of(r#"{"event":"ping","_requestId":7}"#).unwrap();
        let id = OwnedId::of(envelope.id().unwrap());

        let reply = to_reply(Response::new(Body::from("x".repeat(100))), Some(&id), 99);

        let expected =
            r#"{"error":"the body is larger than 99 bytes","code":"too_large","_requestId":7}"#;
        assert_eq!(reply.len(), expected.len());
    }

    #[test]
    fn an_event_that_is_no_path_is_nobodys() {
        assert!(is_event_name("custom.event-1_a"));
        for name in ["", "../dispatch", "a b", "a/b", "é", "a?b"] {
            assert!(!is_event_name(name), "{name}");
        }
    }
}
