use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use crate::middleware::delivery::{Begun, Delivery};
use crate::middleware::future::ResponseFuture;
use crate::middleware::response::ResponseBody;
use crate::middleware::settings::Settings;

/// The service that [`VerifyLayer`](super::VerifyLayer) makes.
pub struct VerifyService<S, B> {
    inner: S,
    settings: Arc<Settings>,
    body: PhantomData<fn() -> B>,
}

impl<S, B> VerifyService<S, B> {
    pub(crate) fn new(inner: S, settings: Arc<Settings>) -> Self {
        Self { inner, settings, body: PhantomData }
    }
}

impl<S, B, ReqBody, ResBody> Service<Request<ReqBody>> for VerifyService<S, B>
where
    S: Service<Request<B>, Response = Response<ResBody>> + Clone,
    B: From<Bytes>,
    ReqBody: Body,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, B, ReqBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        // The service that was polled ready is the one to call; its clone, which was not, stays behind.
        let clone = self.inner.clone();
        let ready = mem::replace(&mut self.inner, clone);
        let (parts, body) = request.into_parts();
        match Delivery::begin(Arc::clone(&self.settings), parts) {
            Begun::Receiving(delivery) => ResponseFuture::reading(ready, delivery, body),
            Begun::Answering(answer) => ResponseFuture::answering(answer),
            Begun::Answered(answer) => ResponseFuture::answered(answer),
        }
    }
}

impl<S: Clone, B> Clone for VerifyService<S, B> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), settings: Arc::clone(&self.settings), body: PhantomData }
    }
}

impl<S: fmt::Debug, B> fmt::Debug for VerifyService<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyService").field("inner", &self.inner).field("settings", &self.settings).finish()
    }
}
