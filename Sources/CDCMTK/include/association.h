#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

// DICOM associations (PS3.8) on DCMTK's upper layer, over sockets and deadlines of our own.
//
// DCMTK negotiates and frames; it never accepts a connection, waits on a socket or parses a command set. Calls on one
// association come from one thread at a time. No function throws.

/// Bytes to and from one peer. The plain one is a socket; a TLS session takes its place behind the same functions.
typedef struct cdcmtk_stream cdcmtk_stream;

/// Certificates for streams with TLS; see tls.h.
typedef struct cdcmtk_tls cdcmtk_tls;

/// One association on top of a stream.
typedef struct cdcmtk_association cdcmtk_association;

typedef enum cdcmtk_network_outcome {
    CDCMTK_NETWORK_OK = 0,
    /// The peer asked for release; answer with ``cdcmtk_association_acknowledge_release``.
    CDCMTK_NETWORK_RELEASE_REQUESTED,
    /// The peer sent A-ABORT.
    CDCMTK_NETWORK_ABORTED,
    /// The connection ended or broke without an A-ABORT.
    CDCMTK_NETWORK_CLOSED,
    /// The peer was silent, or read or wrote too slowly.
    CDCMTK_NETWORK_DEADLINE,
    /// A PDU of the wrong type, of an absurd length, or one that does not parse.
    CDCMTK_NETWORK_ILLEGAL_PDU,
    /// The peer answered A-ASSOCIATE-RJ.
    CDCMTK_NETWORK_REJECTED,
    CDCMTK_NETWORK_CONNECT_FAILED,
    CDCMTK_NETWORK_CONNECT_DEADLINE,
    /// No TLS session came about: the certificates do not fit, or one side does not speak TLS.
    CDCMTK_NETWORK_TLS_FAILED,
    /// DCMTK refused for a reason of its own, such as no memory.
    CDCMTK_NETWORK_FAILED,
} cdcmtk_network_outcome;

/// How long a peer may take, in milliseconds.
typedef struct {
    /// Until the first byte of the next PDU.
    int32_t idle;
    /// From the first byte of a PDU to its last.
    int32_t pdu;
    /// For one write.
    int32_t write;
} cdcmtk_deadlines;

/// What is announced in A-ASSOCIATE: PDU size and who we are (PS3.7 D.3.3.2).
typedef struct {
    /// Longest P-DATA-TF that is received, header not counted; even, 4096 to 131072.
    uint32_t pdu_length_limit;
    const char *implementation_class_uid;
    const char *implementation_version;
} cdcmtk_local_identity;

/// An accepted presentation context (`transfer_syntax` is null when it is refused with `refusal`, PS3.8 table 9-18).
/// `requestor_provides` accepts the requestor as the SCP that it proposes to be (PS3.7 annex D.3.3.4).
typedef struct {
    uint8_t identifier;
    uint8_t refusal;
    bool requestor_provides;
    const char *transfer_syntax;
} cdcmtk_context_decision;

typedef struct {
    uint8_t identifier;
    const char *abstract_syntax;
    const char *transfer_syntax;
    /// We are the SCP of this class on this association (PS3.7 annex D.3.3.4), as in C-GET.
    bool is_provider;
    /// Set by ``cdcmtk_association_request``.
    bool accepted;
} cdcmtk_context_proposal;

/// A-ASSOCIATE-RJ (PS3.8 table 9-21).
typedef struct {
    uint8_t result;
    uint8_t source;
    uint8_t reason;
} cdcmtk_rejection;

typedef struct {
    const char *host;
    uint16_t port;
    const char *calling_title;
    const char *called_title;
    /// Whole seconds to establish the TCP connection; DCMTK keeps it in a process-wide setting.
    int32_t connect_seconds;
    /// Null for a plain connection.
    const cdcmtk_tls *tls;
} cdcmtk_peer;

/// One presentation data value. `bytes` belongs to the association and stays valid until the next read.
typedef struct {
    const uint8_t *bytes;
    size_t length;
    uint8_t context;
    bool is_command;
    bool is_last;
} cdcmtk_fragment;

/// Silences DCMTK's log (it may quote patient data), switches off Nagle's algorithm and reverse DNS. Any number of
/// calls.
void cdcmtk_network_initialize(void);

/// O_DIRECT of open(2): Glibc's module lacks it.
extern const int cdcmtk_uncached;

/// `accept`, with a descriptor that no process started at the same moment inherits: Glibc's module lacks `accept4`.
int cdcmtk_stream_accept(int listening, struct sockaddr *address, socklen_t *address_length);
/// Takes over a connected socket.
cdcmtk_stream *cdcmtk_stream_open(int descriptor);
/// Bytes read (at least one), 0 at the end of the stream, -1 on failure with errno, ETIMEDOUT for the deadline.
ssize_t cdcmtk_stream_read(cdcmtk_stream *stream, void *buffer, size_t length, int32_t milliseconds);
/// Writes everything or says no.
bool cdcmtk_stream_write(cdcmtk_stream *stream, const void *bytes, size_t length, int32_t milliseconds);
/// Reads and drops what still comes until the peer closes or the deadline passes.
void cdcmtk_stream_await_end(cdcmtk_stream *stream, int32_t milliseconds);
/// Says that nothing more is sent, and waits until the peer has closed; false when it broke off or the deadline passed.
bool cdcmtk_stream_finish_sending(cdcmtk_stream *stream, int32_t milliseconds);
void cdcmtk_stream_close(cdcmtk_stream *stream);

/// Completes the acceptor's side of an association whose A-ASSOCIATE-RQ, already read and judged, is `request`.
///
/// The stream stays the caller's and must outlive the association.
cdcmtk_network_outcome cdcmtk_association_accept(cdcmtk_stream *stream, const uint8_t *request, size_t length,
                                                 const cdcmtk_context_decision *contexts, size_t context_count,
                                                 const cdcmtk_local_identity *identity,
                                                 const cdcmtk_deadlines *deadlines, cdcmtk_association **association);

/// Connects and requests an association; `rejection` is filled for `CDCMTK_NETWORK_REJECTED`.
cdcmtk_network_outcome cdcmtk_association_request(const cdcmtk_peer *peer, cdcmtk_context_proposal *contexts,
                                                  size_t context_count, const cdcmtk_local_identity *identity,
                                                  const cdcmtk_deadlines *deadlines, cdcmtk_rejection *rejection,
                                                  cdcmtk_association **association);

cdcmtk_network_outcome cdcmtk_association_read(cdcmtk_association *association, cdcmtk_fragment *fragment);

/// Waits for the peer's next bytes; that none come within the time ends nothing.
bool cdcmtk_association_await(cdcmtk_association *association, int32_t milliseconds);

/// Writes one presentation data value, split into as many PDUs as the peer's limit asks for.
cdcmtk_network_outcome cdcmtk_association_write(cdcmtk_association *association, const cdcmtk_fragment *fragment);

cdcmtk_network_outcome cdcmtk_association_acknowledge_release(cdcmtk_association *association);
cdcmtk_network_outcome cdcmtk_association_release(cdcmtk_association *association);

/// Sends A-ABORT (`source` 0 service user, 2 service provider) without waiting for an answer.
void cdcmtk_association_abort(cdcmtk_association *association, uint8_t source, uint8_t reason);

void cdcmtk_association_destroy(cdcmtk_association *association);

#ifdef __cplusplus
}
#endif
