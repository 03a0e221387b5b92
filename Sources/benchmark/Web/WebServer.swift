import Foundation
import Glibc

/// A program that answers `GET /livez`.
struct WebServer {
    let name: String
    let program: ChildProgram
    let port: UInt16

    /// Waits until it accepts connections.
    private init(_ name: String, _ program: ChildProgram, port: UInt16) throws {
        (self.name, self.program, self.port) = (name, program, port)
        let end = Timing.now() + 30
        while true {
            if let connection = LoopbackConnection(port: port) {
                connection.close()
                return
            }
            guard Timing.now() < end else { throw MeasuringError.programSilent(name) }
            usleep(50_000)
        }
    }

    static func scintivol(_ path: String, in workspace: Workspace) throws -> WebServer {
        try running(ServiceProgram(path, in: workspace))
    }

    static func running(_ service: ServiceProgram) throws -> WebServer {
        try WebServer("ours", service.program, port: service.httpPort)
    }

    /// nginx with a worker per core and a file of the same size as our answer.
    static func nginx(_ path: String, in workspace: Workspace) throws -> WebServer {
        let port = try FreePort.find()
        let folder = try workspace.subfolder("nginx")
        try "alive\n".write(toFile: "\(folder)/livez", atomically: true, encoding: .utf8)
        let configuration = """
            daemon off;
            worker_processes 2;
            worker_rlimit_nofile 20000;
            pid \(folder)/nginx.pid;
            error_log /dev/null;
            events { worker_connections 16384; }
            http {
                access_log off;
                keepalive_requests 1000;
                client_body_temp_path \(folder)/body;
                proxy_temp_path \(folder)/proxy;
                fastcgi_temp_path \(folder)/fastcgi;
                uwsgi_temp_path \(folder)/uwsgi;
                scgi_temp_path \(folder)/scgi;
                server { listen 127.0.0.1:\(port) backlog=4096; root \(folder); }
            }
            """
        let file = "\(folder)/nginx.conf"
        try configuration.write(toFile: file, atomically: true, encoding: .utf8)
        return try WebServer("nginx", try workspace.start(path, ["-c", file, "-p", folder]), port: port)
    }

    /// The peer of its own package, with as many loops as cores.
    static func hummingbird(_ path: String, in workspace: Workspace) throws -> WebServer {
        let port = try FreePort.find()
        let program = try workspace.start(path, ["\(port)"], environment: ["LOG_LEVEL": "error"])
        return try WebServer("Hummingbird", program, port: port)
    }
}
