#include "association_transport.hpp"
#include "tls_stream.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "dcmtk/dcmnet/cond.h"

namespace dicom {
namespace {

// PS3.8 table 9-11 and following.
constexpr unsigned char associateAccept = 0x02;
constexpr unsigned char associateReject = 0x03;
constexpr unsigned char data = 0x04;
constexpr unsigned char releaseRequest = 0x05;
constexpr unsigned char releaseResponse = 0x06;
constexpr unsigned char abort = 0x07;

constexpr size_t shortBodyLength = 4;
/// One PDV without a value: length, context, control header.
constexpr size_t dataBodyMinimum = 6;
/// 128 contexts with a full UID each for the transfer syntax need less than 12 KiB.
constexpr size_t associateBodyLimit = 64 * 1024;

} // namespace

GuardedConnection::GuardedConnection(ConnectionState &owner)
    : DcmTransportConnection(owner.stream->descriptor()), state(owner) {}

OFCondition GuardedConnection::serverSideHandshake() { return EC_Normal; }

OFCondition GuardedConnection::clientSideHandshake() {
    if (state.stream->shakeHands(after(state.deadlines.idle)))
        return EC_Normal;
    state.fail(CDCMTK_NETWORK_TLS_FAILED);
    return DUL_NETWORKCLOSED;
}

OFCondition GuardedConnection::renegotiate(const char *) { return EC_Normal; }

ssize_t GuardedConnection::read(void *buffer, size_t length) {
    if (state.readAheadLength > 0) {
        const size_t count = std::min(length, state.readAheadLength);
        std::memcpy(buffer, state.readAhead, count);
        state.readAhead += count;
        state.readAheadLength -= count;
        return static_cast<ssize_t>(count);
    }
    if (headServed == headLength && bodyLeft == 0 && !beginPDU())
        return 0;
    if (headServed < headLength) {
        const size_t count = std::min(length, headLength - headServed);
        std::memcpy(buffer, head + headServed, count);
        headServed += count;
        return static_cast<ssize_t>(count);
    }
    const ssize_t count = stop(state.stream->read(buffer, std::min(length, bodyLeft), pduDeadline));
    bodyLeft -= static_cast<size_t>(count);
    return count;
}

bool GuardedConnection::beginPDU() {
    if (state.failure != CDCMTK_NETWORK_OK)
        return false;
    if (stop(state.stream->read(head, 1, after(state.deadlines.idle))) != 1)
        return false;
    pduDeadline = after(state.deadlines.pdu);
    if (!readExactly(head + 1, headLength - 1))
        return false;
    const size_t length = size_t{head[2]} << 24 | size_t{head[3]} << 16 | size_t{head[4]} << 8 | size_t{head[5]};
    if (!isAcceptable(head[0], length)) {
        state.fail(CDCMTK_NETWORK_ILLEGAL_PDU);
        return false;
    }
    headServed = 0;
    bodyLeft = length;
    return true;
}

bool GuardedConnection::isAcceptable(unsigned char type, size_t length) const {
    switch (type) {
    case associateAccept:
        return state.awaitsAnswer && length <= associateBodyLimit;
    case associateReject:
        return state.awaitsAnswer && length == shortBodyLength;
    case data:
        return !state.awaitsAnswer && length >= dataBodyMinimum && length <= state.dataLengthLimit;
    case releaseRequest:
    case releaseResponse:
        return !state.awaitsAnswer && length == shortBodyLength;
    case abort:
        return length == shortBodyLength;
    default:
        return false;
    }
}

bool GuardedConnection::readExactly(unsigned char *buffer, size_t length) {
    while (length > 0) {
        const ssize_t count = stop(state.stream->read(buffer, length, pduDeadline));
        if (count == 0)
            return false;
        buffer += count;
        length -= static_cast<size_t>(count);
    }
    return true;
}

/// Remembers why nothing came; DCMTK only learns that the connection is gone.
ssize_t GuardedConnection::stop(ssize_t count) {
    if (count > 0)
        return count;
    state.fail(count < 0 && errno == ETIMEDOUT ? CDCMTK_NETWORK_DEADLINE : CDCMTK_NETWORK_CLOSED);
    return 0;
}

ssize_t GuardedConnection::write(void *bytes, size_t length) {
    if (state.failure == CDCMTK_NETWORK_OK && state.stream->write(bytes, length, after(state.deadlines.write)))
        return static_cast<ssize_t>(length);
    stop(-1);
    return 0;
}

void GuardedConnection::close() { state.stream->finish(); }
void GuardedConnection::closeTransportConnection() { state.stream->finish(); }

// DCMTK's own timeout is of whole seconds and the same for every association.
OFBool GuardedConnection::networkDataAvailable(int) {
    if (state.readAheadLength > 0 || headServed < headLength)
        return OFTrue;
    if (state.stream->waitReadable(bodyLeft > 0 ? pduDeadline : after(state.deadlines.idle)))
        return OFTrue;
    stop(-1);
    return OFFalse;
}

OFString &GuardedConnection::dumpConnectionParameters(OFString &text) { return text; }

thread_local ConnectionState *PreparedTransportLayer::prepared = nullptr;

DcmTransportConnection *PreparedTransportLayer::createConnection(DcmNativeSocketType socket, OFBool) {
    ConnectionState *state = prepared;
    prepared = nullptr;
    if (state == nullptr)
        return nullptr;
    if (state->stream == nullptr && state->tls != nullptr)
        state->stream = new TLSStream(socket, *state->tls, state->host);
    else if (state->stream == nullptr)
        state->stream = new SocketStream(socket);
    return new GuardedConnection(*state);
}

} // namespace dicom
