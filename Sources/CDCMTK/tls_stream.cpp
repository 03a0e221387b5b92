#include "tls_stream.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <new>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace dicom {
namespace {

/// - Source: DICOM PS3.15 B.12 (BCP 195, RFC 9325 section 4.2); TLS 1.3 has no others.
constexpr const char *cipherSuites = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                                     "DHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:"
                                     "ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES128-GCM-SHA256";

bool isAddress(const char *host) {
    in6_addr address;
    return ::inet_pton(AF_INET, host, &address) == 1 || ::inet_pton(AF_INET6, host, &address) == 1;
}

bool demandName(SSL *session, const char *host) {
    if (isAddress(host))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host) == 1;
    return SSL_set1_host(session, host) == 1 && SSL_set_tlsext_host_name(session, host) == 1;
}

bool pollSocket(int socket, short events, Instant deadline) {
    while (true) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
        pollfd entry{socket, events, 0};
        const int ready = ::poll(&entry, 1, static_cast<int>(std::clamp<long long>(left, 0, 1 << 30)));
        if (ready > 0)
            return true;
        if (ready == 0)
            errno = ETIMEDOUT;
        if (ready == 0 || errno != EINTR)
            return false;
    }
}

cdcmtk_tls_problem loadIdentity(SSL_CTX *context, const cdcmtk_tls_files &files) {
    if (files.certificate_chain == nullptr)
        return files.is_server ? CDCMTK_TLS_CERTIFICATE : CDCMTK_TLS_OK;
    if (SSL_CTX_use_certificate_chain_file(context, files.certificate_chain) != 1)
        return CDCMTK_TLS_CERTIFICATE;
    if (files.private_key == nullptr ||
        SSL_CTX_use_PrivateKey_file(context, files.private_key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1)
        return CDCMTK_TLS_KEY;
    return CDCMTK_TLS_OK;
}

cdcmtk_tls_problem loadAuthorities(SSL_CTX *context, const cdcmtk_tls_files &files) {
    const bool isDemanded = !files.is_server || files.requires_peer_certificate;
    if (files.authorities == nullptr)
        return isDemanded ? CDCMTK_TLS_AUTHORITIES : CDCMTK_TLS_OK;
    if (SSL_CTX_load_verify_locations(context, files.authorities, nullptr) != 1)
        return CDCMTK_TLS_AUTHORITIES;
    if (files.is_server)
        SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(files.authorities));
    int mode = SSL_VERIFY_PEER;
    if (files.is_server && files.requires_peer_certificate)
        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(context, mode, nullptr);
    return CDCMTK_TLS_OK;
}

/// A key that asks for a password would otherwise ask a terminal.
int noPassword(char *, int, int, void *) { return -1; }

} // namespace

TLSStream::TLSStream(int descriptor, const cdcmtk_tls &tls, const char *host)
    : socket(descriptor), session(SSL_new(tls.context)), isClient(host != nullptr) {
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    ::fcntl(socket, F_SETFD, FD_CLOEXEC);
    ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) | O_NONBLOCK);
    if (session == nullptr)
        return;
    SSL_set_mode(session, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    if (SSL_set_fd(session, socket) != 1 || (isClient && !demandName(session, host))) {
        SSL_free(session);
        session = nullptr;
    }
}

TLSStream::~TLSStream() {
    SSL_free(session);
    ::close(socket);
}

bool TLSStream::shakeHands(Instant deadline) {
    if (session == nullptr)
        return false;
    while (true) {
        ERR_clear_error();
        const int result = isClient ? SSL_connect(session) : SSL_accept(session);
        if (result == 1)
            return true;
        if (!waitFor(result, deadline))
            return false;
    }
}

ssize_t TLSStream::read(void *buffer, size_t length, Instant deadline) {
    while (true) {
        ERR_clear_error();
        const int count = SSL_read(session, buffer, static_cast<int>(std::min<size_t>(length, INT_MAX)));
        if (count > 0)
            return count;
        if (SSL_get_error(session, count) == SSL_ERROR_ZERO_RETURN)
            return 0;
        if (!waitFor(count, deadline))
            return errno == ETIMEDOUT ? -1 : 0;
    }
}

bool TLSStream::write(const void *bytes, size_t length, Instant deadline) {
    auto next = static_cast<const char *>(bytes);
    while (length > 0) {
        ERR_clear_error();
        const int count = SSL_write(session, next, static_cast<int>(std::min<size_t>(length, INT_MAX)));
        if (count > 0) {
            next += count;
            length -= static_cast<size_t>(count);
        } else if (!waitFor(count, deadline)) {
            return false;
        }
    }
    return true;
}

bool TLSStream::waitReadable(Instant deadline) {
    return SSL_pending(session) > 0 || pollSocket(socket, POLLIN, deadline);
}

bool TLSStream::finishSending(Instant deadline) {
    ERR_clear_error();
    if (SSL_shutdown(session) < 0)
        return false;
    char dropped[4096];
    while (true) {
        ERR_clear_error();
        const int count = SSL_read(session, dropped, sizeof(dropped));
        if (count > 0)
            continue;
        const int error = SSL_get_error(session, count);
        if (error == SSL_ERROR_ZERO_RETURN)
            return true;
        // Many servers close without an alert of their own: whoever has left bytes unread would have sent a reset.
        if (error == SSL_ERROR_SSL && ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
            return true;
        if (!waitFor(count, deadline))
            return false;
    }
}

void TLSStream::finish() {
    // One alert without waiting for the peer's; nothing may be sent after a fatal error, which OpenSSL sees to itself.
    ERR_clear_error();
    if (session != nullptr && SSL_is_init_finished(session))
        SSL_shutdown(session);
    ::shutdown(socket, SHUT_RDWR);
}

/// Whether the operation can go on; otherwise errno is ETIMEDOUT for the deadline.
bool TLSStream::waitFor(int result, Instant deadline) {
    switch (SSL_get_error(session, result)) {
    case SSL_ERROR_WANT_READ:
        return pollSocket(socket, POLLIN, deadline);
    case SSL_ERROR_WANT_WRITE:
        return pollSocket(socket, POLLOUT, deadline);
    default:
        errno = ECONNRESET;
        return false;
    }
}

} // namespace dicom

using namespace dicom;

cdcmtk_tls_problem cdcmtk_tls_create(const cdcmtk_tls_files *files, cdcmtk_tls **result) {
    SSL_CTX *context = SSL_CTX_new(files->is_server ? TLS_server_method() : TLS_client_method());
    if (context == nullptr)
        return CDCMTK_TLS_MEMORY;
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(context, cipherSuites);
    SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_default_passwd_cb(context, noPassword);
    // Sessions are not resumed: each shows its certificate to the authorities of its day.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 0);
    cdcmtk_tls_problem problem = loadIdentity(context, *files);
    if (problem == CDCMTK_TLS_OK)
        problem = loadAuthorities(context, *files);
    cdcmtk_tls *made = problem == CDCMTK_TLS_OK ? new (std::nothrow) cdcmtk_tls{context} : nullptr;
    ERR_clear_error();
    if (made == nullptr) {
        SSL_CTX_free(context);
        return problem == CDCMTK_TLS_OK ? CDCMTK_TLS_MEMORY : problem;
    }
    *result = made;
    return CDCMTK_TLS_OK;
}


void cdcmtk_tls_release(cdcmtk_tls *tls) {
    if (tls == nullptr)
        return;
    SSL_CTX_free(tls->context);
    delete tls;
}

cdcmtk_stream *cdcmtk_stream_open_tls(int descriptor, cdcmtk_tls *tls) {
    return reinterpret_cast<cdcmtk_stream *>(
        static_cast<ByteStream *>(new (std::nothrow) TLSStream(descriptor, *tls, nullptr)));
}

cdcmtk_stream *cdcmtk_stream_connect_tls(int descriptor, const cdcmtk_tls *tls, const char *host) {
    return reinterpret_cast<cdcmtk_stream *>(
        static_cast<ByteStream *>(new (std::nothrow) TLSStream(descriptor, *tls, host)));
}

bool cdcmtk_stream_shake_hands(cdcmtk_stream *stream, int32_t milliseconds) {
    return reinterpret_cast<ByteStream *>(stream)->shakeHands(after(milliseconds));
}
