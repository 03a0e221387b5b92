#pragma once

#include "association.h"
#include "association_stream.hpp"

#include "dcmtk/config/osconfig.h"

#include "dcmtk/dcmnet/dcmlayer.h"
#include "dcmtk/dcmnet/dcmtrans.h"

namespace dicom {

/// What one connection may do and why it stopped. It outlives the connection object, which DCMTK deletes when it likes.
struct ConnectionState {
    ByteStream *stream = nullptr;
    cdcmtk_deadlines deadlines{};
    size_t dataLengthLimit = 0;
    /// Bytes of the A-ASSOCIATE-RQ that were read ahead and are served first.
    const unsigned char *readAhead = nullptr;
    size_t readAheadLength = 0;
    /// A requestor's: how the socket that DCMTK connects is secured, and the name that its certificate has to bear.
    const cdcmtk_tls *tls = nullptr;
    const char *host = nullptr;
    /// The requestor waits for A-ASSOCIATE-AC or -RJ.
    bool awaitsAnswer = false;
    /// The first failure; later ones are its consequence.
    cdcmtk_network_outcome failure = CDCMTK_NETWORK_OK;

    void fail(cdcmtk_network_outcome outcome) {
        if (failure == CDCMTK_NETWORK_OK)
            failure = outcome;
    }
};

/// A transport connection that lets DCMTK see only PDUs of a possible type and length, each within its deadline.
class GuardedConnection final : public DcmTransportConnection {
  public:
    explicit GuardedConnection(ConnectionState &state);

    OFCondition serverSideHandshake() override;
    OFCondition clientSideHandshake() override;
    OFCondition renegotiate(const char *) override;
    ssize_t read(void *buffer, size_t length) override;
    ssize_t write(void *bytes, size_t length) override;
    void close() override;
    void closeTransportConnection() override;
    unsigned long getPeerCertificateLength() override { return 0; }
    unsigned long getPeerCertificate(void *, unsigned long) override { return 0; }
    OFBool networkDataAvailable(int timeout) override;
    OFBool isTransparentConnection() override { return OFFalse; }
    OFString &dumpConnectionParameters(OFString &text) override;

  private:
    static constexpr size_t headLength = 6;

    bool beginPDU();
    bool isAcceptable(unsigned char type, size_t length) const;
    bool readExactly(unsigned char *buffer, size_t length);
    ssize_t stop(ssize_t count);

    ConnectionState &state;
    unsigned char head[headLength] = {};
    size_t headServed = headLength;
    size_t bodyLeft = 0;
    Instant pduDeadline{};
};

/// Gives DCMTK the connection that the calling thread has prepared.
class PreparedTransportLayer final : public DcmTransportLayer {
  public:
    DcmTransportConnection *createConnection(DcmNativeSocketType socket, OFBool useSecureLayer) override;

    /// The state for the next connection of this thread. When it has no stream, the socket that DCMTK connected becomes
    /// its stream, owned by whoever owns the state.
    static thread_local ConnectionState *prepared;
};

} // namespace dicom
