#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

// DICOM associations (PS3.8) on DCMTK's upper layer, over sockets and deadlines of our own.
//
// DCMTK negotiates and frames; it never accepts a connection, waits on a socket or parses a command set. Calls on one
// association come from one thread at a time. No function throws.

/// Bytes to and from one peer. The plain one is a socket; a TLS session takes its place behind the same functions.
typedef struct dicom_stream dicom_stream;

/// One association on top of a stream.
typedef struct dicom_association dicom_association;

typedef enum {
    DICOM_NETWORK_OK = 0,
    /// The peer asked for release; answer with ``dicom_association_acknowledge_release``.
    DICOM_NETWORK_RELEASE_REQUESTED,
    /// The peer sent A-ABORT.
    DICOM_NETWORK_ABORTED,
    /// The connection ended or broke without an A-ABORT.
    DICOM_NETWORK_CLOSED,
    /// The peer was silent, or read or wrote too slowly.
    DICOM_NETWORK_DEADLINE,
    /// A PDU of the wrong type, of an absurd length, or one that does not parse.
    DICOM_NETWORK_ILLEGAL_PDU,
    /// The peer answered A-ASSOCIATE-RJ.
    DICOM_NETWORK_REJECTED,
    DICOM_NETWORK_CONNECT_FAILED,
    DICOM_NETWORK_CONNECT_DEADLINE,
    /// DCMTK refused for a reason of its own, such as no memory.
    DICOM_NETWORK_FAILED,
} dicom_network_outcome;

/// How long a peer may take, in milliseconds.
typedef struct {
    /// Until the first byte of the next PDU.
    int32_t idle;
    /// From the first byte of a PDU to its last.
    int32_t pdu;
    /// For one write.
    int32_t write;
} dicom_deadlines;

/// What is announced in A-ASSOCIATE: PDU size and who we are (PS3.7 D.3.3.2).
typedef struct {
    /// Longest P-DATA-TF that is received, header not counted; even, 4096 to 131072.
    uint32_t pdu_length_limit;
    const char *implementation_class_uid;
    const char *implementation_version;
} dicom_local_identity;

/// An accepted presentation context (`transfer_syntax` is null when it is refused with `refusal`, PS3.8 table 9-18).
typedef struct {
    uint8_t identifier;
    uint8_t refusal;
    const char *transfer_syntax;
} dicom_context_decision;

typedef struct {
    uint8_t identifier;
    const char *abstract_syntax;
    const char *transfer_syntax;
    /// Set by ``dicom_association_request``.
    bool accepted;
} dicom_context_proposal;

/// A-ASSOCIATE-RJ (PS3.8 table 9-21).
typedef struct {
    uint8_t result;
    uint8_t source;
    uint8_t reason;
} dicom_rejection;

typedef struct {
    const char *host;
    uint16_t port;
    const char *calling_title;
    const char *called_title;
    /// Whole seconds to establish the TCP connection; DCMTK keeps it in a process-wide setting.
    int32_t connect_seconds;
} dicom_peer;

/// One presentation data value. `bytes` belongs to the association and stays valid until the next read.
typedef struct {
    const uint8_t *bytes;
    size_t length;
    uint8_t context;
    bool is_command;
    bool is_last;
} dicom_fragment;

/// Silences DCMTK's log (it may quote patient data), switches off Nagle's algorithm and reverse DNS. Any number of calls.
void dicom_network_initialize(void);

/// Takes over a connected socket.
dicom_stream *dicom_stream_open(int descriptor);
/// Bytes read (at least one), 0 at the end of the stream, -1 on failure with errno, ETIMEDOUT for the deadline.
ssize_t dicom_stream_read(dicom_stream *stream, void *buffer, size_t length, int32_t milliseconds);
/// Writes everything or says no.
bool dicom_stream_write(dicom_stream *stream, const void *bytes, size_t length, int32_t milliseconds);
/// Reads and drops what still comes until the peer closes or the deadline passes.
void dicom_stream_await_end(dicom_stream *stream, int32_t milliseconds);
void dicom_stream_close(dicom_stream *stream);

/// Completes the acceptor's side of an association whose A-ASSOCIATE-RQ, already read and judged, is `request`.
///
/// The stream stays the caller's and must outlive the association.
dicom_network_outcome dicom_association_accept(dicom_stream *stream, const uint8_t *request, size_t length,
                                               const dicom_context_decision *contexts, size_t context_count,
                                               const dicom_local_identity *identity, const dicom_deadlines *deadlines,
                                               dicom_association **association);

/// Connects and requests an association; `rejection` is filled for `DICOM_NETWORK_REJECTED`.
dicom_network_outcome dicom_association_request(const dicom_peer *peer, dicom_context_proposal *contexts,
                                                size_t context_count, const dicom_local_identity *identity,
                                                const dicom_deadlines *deadlines, dicom_rejection *rejection,
                                                dicom_association **association);

dicom_network_outcome dicom_association_read(dicom_association *association, dicom_fragment *fragment);

/// Writes one presentation data value, split into as many PDUs as the peer's limit asks for.
dicom_network_outcome dicom_association_write(dicom_association *association, const dicom_fragment *fragment);

dicom_network_outcome dicom_association_acknowledge_release(dicom_association *association);
dicom_network_outcome dicom_association_release(dicom_association *association);

/// Sends A-ABORT (`source` 0 service user, 2 service provider) without waiting for an answer.
void dicom_association_abort(dicom_association *association, uint8_t source, uint8_t reason);

void dicom_association_destroy(dicom_association *association);

#ifdef __cplusplus
}
#endif
