# Two stages: the build with Swift 6.3 on Debian 12, and a small image that runs as an ordinary user.
FROM swift:6.3-bookworm AS build
WORKDIR /src
COPY . .
RUN deploy/install && swift build -c release --product scintivol \
    && mkdir -p /opt/scintivol/bin /opt/scintivol/lib \
    && cp -r .build/release/scintivol .build/release/scintivol_DoseService.resources /opt/scintivol/bin/ \
    && cp -a .deps/libtorch/lib/*.so* /opt/scintivol/lib/ \
    && cp -a /usr/lib/swift/linux/*.so /opt/scintivol/lib/

FROM debian:12-slim
RUN apt-get -qq update \
    && apt-get -qq install -y --no-install-recommends libdcmtk17 libopenblas0-pthread liblapacke libpq5 libssl3 zlib1g \
        ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 scintivol \
    && useradd --uid 10001 --gid 10001 --no-log-init --create-home --home-dir /var/lib/scintivol scintivol
COPY --from=build /opt/scintivol /opt/scintivol
ENV LD_LIBRARY_PATH=/opt/scintivol/lib PATH=/opt/scintivol/bin:$PATH
# By number, so that Kubernetes can see that it is not root. Nothing outside the volume and /tmp is written.
USER 10001:10001
VOLUME /var/lib/scintivol
EXPOSE 11112 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["scintivol", "health"]
# The database is another container: SCINTIVOL_DATABASE_URL names it.
ENTRYPOINT ["scintivol"]
CMD ["run", "--state", "/var/lib/scintivol", "--http-host", "0.0.0.0"]
