# Two stages: the build with Swift 6.3 on Debian 12, and a small image that runs as an ordinary user.
FROM swift:6.3-bookworm AS build
WORKDIR /src
COPY . .
RUN deploy/install && swift build -c release --product scintivol \
    && mkdir -p /opt/scintivol/bin /opt/scintivol/lib \
    && cp .build/release/scintivol /opt/scintivol/bin/ \
    && cp -a .deps/libtorch/lib/*.so* /opt/scintivol/lib/ \
    && cp -a /usr/lib/swift/linux/*.so /opt/scintivol/lib/

FROM debian:12-slim
RUN apt-get -qq update \
    && apt-get -qq install -y --no-install-recommends libdcmtk17 libopenblas0-pthread liblapacke libpq5 libssl3 zlib1g \
        ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --create-home --home-dir /var/lib/scintivol scintivol
COPY --from=build /opt/scintivol /opt/scintivol
ENV LD_LIBRARY_PATH=/opt/scintivol/lib PATH=/opt/scintivol/bin:$PATH
USER scintivol
VOLUME /var/lib/scintivol
EXPOSE 11112 8080
HEALTHCHECK CMD ["scintivol", "health"]
# The database is another container: SCINTIVOL_DATABASE_URL names it.
ENTRYPOINT ["scintivol"]
CMD ["run", "--state", "/var/lib/scintivol", "--http-host", "0.0.0.0"]
