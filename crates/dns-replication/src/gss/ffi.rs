//! The ten functions of the Kerberos library that GSS-TSIG needs: RFC 2744, as MIT's `libgssapi_krb5.so.2` has them.
//!
//! The library is opened when it is first needed, so that a machine without Kerberos can do all else. This is the only
//! `unsafe` of the crate: declarations as in `gssapi/gssapi.h`, each object in a type that owns it, and nothing of C's
//! outside of this file.
#![allow(unsafe_code, reason = "calls a C library")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;

use libloading::Library;

use super::GssError;

/// The library's file name: its major version is its interface.
const LIBRARY: &str = "libgssapi_krb5.so.2";

/// `GSS_C_ACCEPT`, `GSS_C_INITIATE`: what a credential is for.
const INITIATE: c_int = 1;
/// `GSS_C_MUTUAL_FLAG`, `..._REPLAY_...`, `..._SEQUENCE_...`, `..._INTEG_...`. Without mutual authentication the server's
/// signatures do not verify.
const FLAGS: u32 = 0x02 | 0x04 | 0x08 | 0x20;
/// `GSS_S_CONTINUE_NEEDED`, a supplementary bit.
const CONTINUE_NEEDED: u32 = 1;
/// The bits of a major status that are errors: `GSS_ERROR`.
const ERRORS: u32 = 0xffff_0000;
/// `GSS_S_DUPLICATE_TOKEN`, `OLD_TOKEN`, `UNSEQ_TOKEN` and `GAP_TOKEN`: the signature is right, its place is not.
const OUT_OF_ORDER: u32 = 2 | 4 | 8 | 16;
/// `GSS_C_GSS_CODE` and `GSS_C_MECH_CODE`: which status is to be explained.
const GSS_CODE: c_int = 1;
const MECH_CODE: c_int = 2;

/// 1.2.840.113554.1.2.2.1, `GSS_KRB5_NT_PRINCIPAL_NAME`: a principal, taken as it is written.
static PRINCIPAL_NAME: [u8; 10] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x01];
/// 1.3.6.1.5.5.2, SPNEGO: what BIND's nsupdate speaks, too.
static SPNEGO: [u8; 6] = [0x2b, 0x06, 0x01, 0x05, 0x05, 0x02];

/// `gss_OID_desc`
#[repr(C)]
struct Oid {
    length: u32,
    elements: *const c_void,
}

impl Oid {
    fn new(elements: &'static [u8]) -> Self {
        Self { length: elements.len() as u32, elements: elements.as_ptr().cast() }
    }
}

/// `gss_buffer_desc`
#[repr(C)]
struct Buffer {
    length: usize,
    value: *mut c_void,
}

impl Buffer {
    const EMPTY: Self = Self { length: 0, value: ptr::null_mut() };

    /// Bytes that the library only reads.
    fn of(bytes: &[u8]) -> Self {
        Self { length: bytes.len(), value: bytes.as_ptr().cast_mut().cast() }
    }
}

/// `gss_key_value_element_desc`
#[repr(C)]
struct KeyValue {
    key: *const c_char,
    value: *const c_char,
}

/// `gss_key_value_set_desc`
#[repr(C)]
struct KeyValueSet {
    count: u32,
    elements: *const KeyValue,
}

/// `gss_name_t`, `gss_cred_id_t`, `gss_ctx_id_t`: pointers to what only the library knows.
type Handle = *mut c_void;

type ImportName = unsafe extern "C" fn(*mut u32, *const Buffer, *const Oid, *mut Handle) -> u32;
type AcquireCredFrom = unsafe extern "C" fn(
    *mut u32,
    Handle,
    u32,
    *const c_void,
    c_int,
    *const KeyValueSet,
    *mut Handle,
    *mut *mut c_void,
    *mut u32,
) -> u32;
type InitSecContext = unsafe extern "C" fn(
    *mut u32,
    Handle,
    *mut Handle,
    Handle,
    *const Oid,
    u32,
    u32,
    *const c_void,
    *const Buffer,
    *mut *mut Oid,
    *mut Buffer,
    *mut u32,
    *mut u32,
) -> u32;
type GetMic = unsafe extern "C" fn(*mut u32, Handle, u32, *const Buffer, *mut Buffer) -> u32;
type VerifyMic = unsafe extern "C" fn(*mut u32, Handle, *const Buffer, *const Buffer, *mut u32) -> u32;
type DisplayStatus = unsafe extern "C" fn(*mut u32, u32, c_int, *const Oid, *mut u32, *mut Buffer) -> u32;
type ReleaseBuffer = unsafe extern "C" fn(*mut u32, *mut Buffer) -> u32;
type Release = unsafe extern "C" fn(*mut u32, *mut Handle) -> u32;
type DeleteSecContext = unsafe extern "C" fn(*mut u32, *mut Handle, *mut Buffer) -> u32;

/// The functions of the library, which stays loaded to the end of the process.
#[derive(Clone, Copy)]
pub(super) struct Gss {
    import_name: ImportName,
    acquire_cred_from: AcquireCredFrom,
    init_sec_context: InitSecContext,
    get_mic: GetMic,
    verify_mic: VerifyMic,
    display_status: DisplayStatus,
    release_buffer: ReleaseBuffer,
    release_name: Release,
    release_cred: Release,
    delete_sec_context: DeleteSecContext,
}

impl Gss {
    /// Opens the library.
    pub(super) fn load() -> Result<Self, GssError> {
        let missing = |error: libloading::Error| GssError::Library { problem: error.to_string() };
        // SAFETY: MIT's library runs no code of its own on loading that another thread could be harmed by; this process
        // has one thread.
        let library = unsafe { Library::new(LIBRARY) }.map_err(missing)?;
        macro_rules! function {
            ($name:literal) => {
                // SAFETY: the type of each field is the function's declaration in gssapi/gssapi.h (RFC 2744), and in
                // gssapi/gssapi_ext.h for gss_acquire_cred_from. The library is never closed, see below.
                *unsafe { library.get(concat!($name, "\0").as_bytes()) }.map_err(missing)?
            };
        }
        let gss = Self {
            import_name: function!("gss_import_name"),
            acquire_cred_from: function!("gss_acquire_cred_from"),
            init_sec_context: function!("gss_init_sec_context"),
            get_mic: function!("gss_get_mic"),
            verify_mic: function!("gss_verify_mic"),
            display_status: function!("gss_display_status"),
            release_buffer: function!("gss_release_buffer"),
            release_name: function!("gss_release_name"),
            release_cred: function!("gss_release_cred"),
            delete_sec_context: function!("gss_delete_sec_context"),
        };
        // The functions' addresses are copied, so what they are in has to stay.
        std::mem::forget(library);
        Ok(gss)
    }

    /// Gets a credential of `principal` from a keytab, and begins a context with `service`. Nothing is written to disk.
    pub(super) fn begin(self, principal: &str, keytab: &str, service: &str) -> Result<Context, GssError> {
        let principal = self.name(principal)?;
        let credential = self.credential(&principal, keytab)?;
        let service = self.name(service)?;
        Ok(Context { gss: self, handle: ptr::null_mut(), credential, service })
    }

    fn name(self, name: &str) -> Result<Name, GssError> {
        let (mut minor, mut handle) = (0, ptr::null_mut());
        let (text, kind) = (Buffer::of(name.as_bytes()), Oid::new(&PRINCIPAL_NAME));
        // SAFETY: all pointers are to values that live during the call, and the library copies what it keeps.
        let major = unsafe { (self.import_name)(&raw mut minor, &raw const text, &raw const kind, &raw mut handle) };
        self.check(major, minor)?;
        Ok(Name { gss: self, handle })
    }

    fn credential(self, principal: &Name, keytab: &str) -> Result<Credential, GssError> {
        // A path with a zero byte in it does not exist.
        let keytab = CString::new(keytab).map_err(|_| GssError::Library { problem: "a zero in a path".to_owned() })?;
        let entry = |key: &'static CStr, value: &CStr| KeyValue { key: key.as_ptr(), value: value.as_ptr() };
        let elements = [entry(c"client_keytab", &keytab), entry(c"ccache", c"MEMORY:dns-stamp")];
        let store = KeyValueSet { count: elements.len() as u32, elements: elements.as_ptr() };
        let (mut minor, mut handle) = (0, ptr::null_mut());
        // SAFETY: all pointers are to values that live during the call (`keytab` and `elements` among them) or null where
        // the function allows it: all mechanisms, and no interest in which they are and how long the credential lasts.
        let major = unsafe {
            (self.acquire_cred_from)(
                &raw mut minor,
                principal.handle,
                0,
                ptr::null(),
                INITIATE,
                &raw const store,
                &raw mut handle,
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        self.check(major, minor)?;
        Ok(Credential { gss: self, handle })
    }

    fn check(self, major: u32, minor: u32) -> Result<(), GssError> {
        if major & ERRORS == 0 { Ok(()) } else { Err(self.error(major, minor)) }
    }

    /// What a status means, in the library's words.
    fn error(self, major: u32, minor: u32) -> GssError {
        let mut text = self.explain(major, GSS_CODE);
        let detail = self.explain(minor, MECH_CODE);
        if minor != 0 && !detail.is_empty() {
            text = detail;
        }
        GssError::Kerberos { minor: minor as i32, text }
    }

    fn explain(self, status: u32, kind: c_int) -> String {
        let mut text = String::new();
        let mut context = 0;
        // A status has a few sentences at most.
        for _ in 0..8 {
            let (mut minor, mut sentence) = (0, Buffer::EMPTY);
            // SAFETY: all pointers are to values that live during the call, or null for the default mechanism.
            let major = unsafe {
                (self.display_status)(&raw mut minor, status, kind, ptr::null(), &raw mut context, &raw mut sentence)
            };
            if major & ERRORS != 0 {
                break;
            }
            let sentence = self.take(sentence);
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&String::from_utf8_lossy(&sentence));
            if context == 0 {
                break;
            }
        }
        text
    }

    /// Copies what the library gave, and gives it back.
    fn take(self, mut buffer: Buffer) -> Vec<u8> {
        let bytes = if buffer.value.is_null() {
            Vec::new()
        } else {
            // SAFETY: the library filled the buffer in: `value` points to `length` bytes that are its own, and nobody
            // writes to them before they are released below.
            unsafe { std::slice::from_raw_parts(buffer.value.cast::<u8>(), buffer.length) }.to_vec()
        };
        let mut minor = 0;
        // SAFETY: the buffer is empty or one that the library filled in, and is not used again.
        unsafe { (self.release_buffer)(&raw mut minor, &raw mut buffer) };
        bytes
    }
}

/// A `gss_name_t`.
struct Name {
    gss: Gss,
    handle: Handle,
}

impl Drop for Name {
    fn drop(&mut self) {
        let mut minor = 0;
        // SAFETY: the handle is the library's own and is not used again.
        unsafe { (self.gss.release_name)(&raw mut minor, &raw mut self.handle) };
    }
}

/// A `gss_cred_id_t`.
struct Credential {
    gss: Gss,
    handle: Handle,
}

impl Drop for Credential {
    fn drop(&mut self) {
        let mut minor = 0;
        // SAFETY: the handle is the library's own and is not used again.
        unsafe { (self.gss.release_cred)(&raw mut minor, &raw mut self.handle) };
    }
}

/// A `gss_ctx_id_t` with what it needs to be established.
pub(super) struct Context {
    gss: Gss,
    /// Null before the first token.
    handle: Handle,
    credential: Credential,
    service: Name,
}

/// A step towards an established context.
pub(super) struct Token {
    /// What the other side is to be given; may be empty at the end.
    pub(super) token: Vec<u8>,
    /// Nothing more is needed from the other side.
    pub(super) is_complete: bool,
}

impl Context {
    /// Takes the other side's token, none at first, and gives the next of this side.
    pub(super) fn step(&mut self, input: &[u8]) -> Result<Token, GssError> {
        let (mut minor, mut output) = (0, Buffer::EMPTY);
        let (input, mechanism) = (Buffer::of(input), Oid::new(&SPNEGO));
        // SAFETY: all pointers are to values that live during the call, or null where the function allows it: no channel
        // bindings, and no interest in mechanism, flags and time. The context is null or what this function made of it.
        let major = unsafe {
            (self.gss.init_sec_context)(
                &raw mut minor,
                self.credential.handle,
                &raw mut self.handle,
                self.service.handle,
                &raw const mechanism,
                FLAGS,
                0,
                ptr::null(),
                &raw const input,
                ptr::null_mut(),
                &raw mut output,
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        let token = self.gss.take(output);
        self.gss.check(major, minor)?;
        Ok(Token { token, is_complete: major & CONTINUE_NEEDED == 0 })
    }

    /// Signs a message.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, GssError> {
        self.need()?;
        let (mut minor, mut mic) = (0, Buffer::EMPTY);
        let message = Buffer::of(message);
        // SAFETY: all pointers are to values that live during the call, and the context is one of the library's.
        let major = unsafe { (self.gss.get_mic)(&raw mut minor, self.handle, 0, &raw const message, &raw mut mic) };
        let mic = self.gss.take(mic);
        self.gss.check(major, minor)?;
        Ok(mic)
    }

    /// Whether a message was signed so by the other side.
    pub(super) fn verify(&self, message: &[u8], mic: &[u8]) -> Result<bool, GssError> {
        self.need()?;
        let mut minor = 0;
        let (message, mic) = (Buffer::of(message), Buffer::of(mic));
        // SAFETY: all pointers are to values that live during the call, or null for no interest in the quality of
        // protection, and the context is one of the library's.
        let major = unsafe {
            (self.gss.verify_mic)(&raw mut minor, self.handle, &raw const message, &raw const mic, ptr::null_mut())
        };
        // A message that came twice, or one of our own sent back, is as wrong as a forged one.
        Ok(major & (ERRORS | OUT_OF_ORDER) == 0)
    }

    /// The library would take no context for an error, but there is no need to try.
    fn need(&self) -> Result<(), GssError> {
        if self.handle.is_null() { Err(GssError::Protocol) } else { Ok(()) }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        let mut minor = 0;
        if !self.handle.is_null() {
            // SAFETY: the handle is the library's own and is not used again; no token is wanted for the other side.
            unsafe { (self.gss.delete_sec_context)(&raw mut minor, &raw mut self.handle, ptr::null_mut()) };
        }
    }
}
