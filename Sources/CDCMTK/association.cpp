#include "association.h"
#include "association_transport.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>

#include "dcmtk/dcmnet/assoc.h"
#include "dcmtk/dcmnet/dul.h"
#include "dcmtk/oflog/oflog.h"

struct cdcmtk_association {
    dicom::ConnectionState state;
    T_ASC_Association *negotiated = nullptr;
    /// The socket of a requestor; an acceptor's stream belongs to the caller.
    std::unique_ptr<dicom::ByteStream> ownStream;

    ~cdcmtk_association() {
        if (negotiated != nullptr)
            ASC_destroyAssociation(&negotiated);
    }
};

namespace dicom {
namespace {

/// DCMTK takes an accepted socket through one process-wide variable (`dcmExternalSocketHandle`).
std::mutex handover;

struct Networks {
    PreparedTransportLayer layer;
    T_ASC_Network *acceptor = nullptr;
    T_ASC_Network *requestor = nullptr;
};

T_ASC_Network *makeNetwork(T_ASC_NetworkRole role, PreparedTransportLayer &layer) {
    constexpr int releaseSeconds = 10;
    T_ASC_Network *network = nullptr;
    if (ASC_initializeNetwork(role, 0, releaseSeconds, &network).bad())
        return nullptr;
    ASC_setTransportLayer(network, &layer, 0);
    return network;
}

Networks &networks() {
    // Never destroyed: threads may still hold associations while the process ends.
    static Networks *const shared = [] {
        ::setenv("TCP_NODELAY", "1", 1);
        // OpenSSL writes to sockets whose peer may be gone, without a way to ask for an error instead of the signal.
        ::signal(SIGPIPE, SIG_IGN);
        OFLog::configure(OFLogger::OFF_LOG_LEVEL);
        dcmDisableGethostbyaddr.set(OFTrue);
        auto *made = new Networks;
        // An acceptor that believes a socket was handed to it does not listen on a port.
        dcmExternalSocketHandle.set(0);
        made->acceptor = makeNetwork(NET_ACCEPTOR, made->layer);
        dcmExternalSocketHandle.set(-1);
        made->requestor = makeNetwork(NET_REQUESTOR, made->layer);
        return made;
    }();
    return *shared;
}

template <size_t size> bool copyText(char (&target)[size], const char *source) {
    if (std::strlen(source) >= size)
        return false;
    std::strcpy(target, source);
    return true;
}

bool identify(T_ASC_Parameters &parameters, const cdcmtk_local_identity &identity) {
    return copyText(parameters.ourImplementationClassUID, identity.implementation_class_uid) &&
           copyText(parameters.ourImplementationVersionName, identity.implementation_version);
}

cdcmtk_network_outcome failureOf(const cdcmtk_association &association, cdcmtk_network_outcome otherwise) {
    return association.state.failure == CDCMTK_NETWORK_OK ? otherwise : association.state.failure;
}

OFCondition receiveRequest(cdcmtk_association &association, T_ASC_Network *network, uint32_t pduLengthLimit) {
    const std::lock_guard<std::mutex> lock(handover);
    dcmExternalSocketHandle.set(association.state.stream->descriptor());
    PreparedTransportLayer::prepared = &association.state;
    const OFCondition condition =
        ASC_receiveAssociation(network, &association.negotiated, static_cast<long>(pduLengthLimit));
    PreparedTransportLayer::prepared = nullptr;
    dcmExternalSocketHandle.set(-1);
    return condition;
}

OFCondition applyDecisions(T_ASC_Parameters *parameters, const cdcmtk_context_decision *contexts, size_t count) {
    for (size_t index = 0; index < count; ++index) {
        const cdcmtk_context_decision &decision = contexts[index];
        const OFCondition condition =
            decision.transfer_syntax != nullptr
                ? ASC_acceptPresentationContext(parameters, decision.identifier, decision.transfer_syntax,
                                                decision.requestor_provides ? ASC_SC_ROLE_SCP : ASC_SC_ROLE_DEFAULT)
                : ASC_refusePresentationContext(parameters, decision.identifier,
                                                static_cast<T_ASC_P_ResultReason>(decision.refusal));
        if (condition.bad())
            return condition;
    }
    return EC_Normal;
}

OFCondition describeRequest(T_ASC_Parameters *parameters, const cdcmtk_peer &peer,
                            const cdcmtk_context_proposal *contexts, size_t count) {
    const std::string address = std::string(peer.host) + ":" + std::to_string(peer.port);
    if (address.size() >= sizeof(parameters->DULparams.calledPresentationAddress))
        return ASC_NULLKEY;
    ASC_setAPTitles(parameters, peer.calling_title, peer.called_title, nullptr);
    ASC_setPresentationAddresses(parameters, "localhost", address.c_str());
    for (size_t index = 0; index < count; ++index) {
        const char *syntaxes[] = {contexts[index].transfer_syntax};
        const OFCondition condition = ASC_addPresentationContext(
            parameters, contexts[index].identifier, contexts[index].abstract_syntax, syntaxes, 1,
            contexts[index].is_provider ? ASC_SC_ROLE_SCP : ASC_SC_ROLE_DEFAULT);
        if (condition.bad())
            return condition;
    }
    return EC_Normal;
}

void readRejection(T_ASC_Parameters *parameters, cdcmtk_rejection &rejection) {
    T_ASC_RejectParameters found;
    if (ASC_getRejectParameters(parameters, &found).bad())
        return;
    rejection.result = static_cast<uint8_t>(found.result);
    rejection.source = static_cast<uint8_t>(found.source);
    rejection.reason = static_cast<uint8_t>(found.reason & 0xff);
}

void markAccepted(T_ASC_Parameters *parameters, cdcmtk_context_proposal *contexts, size_t count) {
    for (size_t index = 0; index < count; ++index) {
        T_ASC_PresentationContext found;
        contexts[index].accepted =
            ASC_findAcceptedPresentationContext(parameters, contexts[index].identifier, &found).good() &&
            std::strcmp(found.acceptedTransferSyntax, contexts[index].transfer_syntax) == 0;
    }
}

std::unique_ptr<cdcmtk_association> makeAssociation(const cdcmtk_local_identity &identity,
                                                    const cdcmtk_deadlines &deadlines) {
    auto association = std::make_unique<cdcmtk_association>();
    association->state.deadlines = deadlines;
    association->state.dataLengthLimit = identity.pdu_length_limit;
    return association;
}

} // namespace
} // namespace dicom

using namespace dicom;

void cdcmtk_network_initialize(void) { networks(); }

cdcmtk_network_outcome cdcmtk_association_accept(cdcmtk_stream *stream, const uint8_t *request, size_t length,
                                                 const cdcmtk_context_decision *contexts, size_t context_count,
                                                 const cdcmtk_local_identity *identity,
                                                 const cdcmtk_deadlines *deadlines, cdcmtk_association **result) try {
    auto association = makeAssociation(*identity, *deadlines);
    association->state.stream = reinterpret_cast<ByteStream *>(stream);
    association->state.readAhead = request;
    association->state.readAheadLength = length;
    if (receiveRequest(*association, networks().acceptor, identity->pdu_length_limit).bad())
        return failureOf(*association, CDCMTK_NETWORK_ILLEGAL_PDU);
    if (!identify(*association->negotiated->params, *identity) ||
        applyDecisions(association->negotiated->params, contexts, context_count).bad())
        return CDCMTK_NETWORK_FAILED;
    if (ASC_acknowledgeAssociation(association->negotiated).bad())
        return failureOf(*association, CDCMTK_NETWORK_FAILED);
    *result = association.release();
    return CDCMTK_NETWORK_OK;
} catch (...) {
    return CDCMTK_NETWORK_FAILED;
}

cdcmtk_network_outcome cdcmtk_association_request(const cdcmtk_peer *peer, cdcmtk_context_proposal *contexts,
                                                  size_t context_count, const cdcmtk_local_identity *identity,
                                                  const cdcmtk_deadlines *deadlines, cdcmtk_rejection *rejection,
                                                  cdcmtk_association **result) try {
    auto association = makeAssociation(*identity, *deadlines);
    association->state.awaitsAnswer = true;
    association->state.tls = peer->tls;
    association->state.host = peer->host;
    T_ASC_Parameters *parameters = nullptr;
    if (ASC_createAssociationParameters(&parameters, static_cast<long>(identity->pdu_length_limit)).bad())
        return CDCMTK_NETWORK_FAILED;
    if (!identify(*parameters, *identity) || describeRequest(parameters, *peer, contexts, context_count).bad()) {
        ASC_destroyAssociationParameters(&parameters);
        return CDCMTK_NETWORK_FAILED;
    }
    dcmConnectionTimeout.set(peer->connect_seconds);
    const Instant connectDeadline = after(peer->connect_seconds * 1000);
    PreparedTransportLayer::prepared = &association->state;
    const OFCondition condition = ASC_requestAssociation(networks().requestor, parameters, &association->negotiated);
    PreparedTransportLayer::prepared = nullptr;
    association->ownStream.reset(association->state.stream);
    if (association->ownStream == nullptr)
        return Clock::now() < connectDeadline ? CDCMTK_NETWORK_CONNECT_FAILED : CDCMTK_NETWORK_CONNECT_DEADLINE;
    if (condition == DUL_ASSOCIATIONREJECTED) {
        readRejection(parameters, *rejection);
        return CDCMTK_NETWORK_REJECTED;
    }
    if (condition.bad())
        return failureOf(*association,
                         condition == DUL_PEERABORTEDASSOCIATION ? CDCMTK_NETWORK_ABORTED : CDCMTK_NETWORK_ILLEGAL_PDU);
    association->state.awaitsAnswer = false;
    markAccepted(parameters, contexts, context_count);
    *result = association.release();
    return CDCMTK_NETWORK_OK;
} catch (...) {
    return CDCMTK_NETWORK_FAILED;
}

cdcmtk_network_outcome cdcmtk_association_read(cdcmtk_association *association, cdcmtk_fragment *fragment) try {
    DUL_ASSOCIATIONKEY **key = &association->negotiated->DULassociation;
    DUL_PDV value{};
    if (DUL_NextPDV(key, &value).bad()) {
        const OFCondition condition = DUL_ReadPDVs(key, nullptr, DUL_BLOCK, 0);
        if (condition == DUL_PEERREQUESTEDRELEASE)
            return CDCMTK_NETWORK_RELEASE_REQUESTED;
        if (condition == DUL_PEERABORTEDASSOCIATION)
            return failureOf(*association, CDCMTK_NETWORK_ABORTED);
        if (condition != DUL_PDATAPDUARRIVED || DUL_NextPDV(key, &value).bad())
            return failureOf(*association, CDCMTK_NETWORK_ILLEGAL_PDU);
    }
    fragment->bytes = static_cast<const uint8_t *>(value.data);
    fragment->length = value.fragmentLength;
    fragment->context = value.presentationContextID;
    fragment->is_command = value.pdvType == DUL_COMMANDPDV;
    fragment->is_last = value.lastPDV == OFTrue;
    return CDCMTK_NETWORK_OK;
} catch (...) {
    return CDCMTK_NETWORK_FAILED;
}

bool cdcmtk_association_await(cdcmtk_association *association, int32_t milliseconds) try {
    return association->state.stream->waitReadable(after(milliseconds));
} catch (...) {
    return false;
}

cdcmtk_network_outcome cdcmtk_association_write(cdcmtk_association *association, const cdcmtk_fragment *fragment) try {
    DUL_PDV value{};
    value.data = const_cast<uint8_t *>(fragment->bytes);
    value.fragmentLength = fragment->length;
    value.presentationContextID = fragment->context;
    value.pdvType = fragment->is_command ? DUL_COMMANDPDV : DUL_DATASETPDV;
    value.lastPDV = fragment->is_last ? OFTrue : OFFalse;
    DUL_PDVLIST list{};
    list.count = 1;
    list.pdv = &value;
    if (DUL_WritePDVs(&association->negotiated->DULassociation, &list).good())
        return CDCMTK_NETWORK_OK;
    return failureOf(*association, CDCMTK_NETWORK_FAILED);
} catch (...) {
    return CDCMTK_NETWORK_FAILED;
}

cdcmtk_network_outcome cdcmtk_association_acknowledge_release(cdcmtk_association *association) try {
    if (ASC_acknowledgeRelease(association->negotiated).good())
        return CDCMTK_NETWORK_OK;
    return failureOf(*association, CDCMTK_NETWORK_FAILED);
} catch (...) {
    return CDCMTK_NETWORK_FAILED;
}

cdcmtk_network_outcome cdcmtk_association_release(cdcmtk_association *association) try {
    if (ASC_releaseAssociation(association->negotiated).good())
        return CDCMTK_NETWORK_OK;
    return failureOf(*association, CDCMTK_NETWORK_FAILED);
} catch (...) {
    return CDCMTK_NETWORK_FAILED;
}

void cdcmtk_association_abort(cdcmtk_association *association, uint8_t source, uint8_t reason) {
    const uint8_t pdu[] = {0x07, 0, 0, 0, 0, 4, 0, 0, source, reason};
    association->state.stream->write(pdu, sizeof(pdu), after(association->state.deadlines.write));
}

void cdcmtk_association_destroy(cdcmtk_association *association) { delete association; }
