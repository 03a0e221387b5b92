import Postgres
import TestSupport
import Testing

@Suite struct ConnectionTests {
    @Test func readsWhatItWrote() throws {
        let connection = try Connection(PrivatePostgres.makeDatabase(migrated: false))
        let row = try connection.queryOne(
            Statement(
                "echo",
                """
                SELECT $1::bigint AS i, $2::float8 AS d, $3::bool AS b, $4::text AS t, $5::bytea AS x, $6::jsonb AS j,
                       $7::uuid AS u, to_timestamp($8) AS at, $9::text AS missing, $10::bigint[] = '{1,-2}' AS ints,
                       array_to_string($11::text[], '|', '-') AS texts, $12::float8[] = '{0.5,NULL}' AS doubles
                """),
            [
                .integer(.min), .double(-.infinity), true, "ä\"\\{},'", .bytes([0, 255, 7]), .json("{\"a\": [1]}"),
                .uuid("01234567-89ab-cdef-0011-223344556677"), .double(1_700_000_000.25), nil, .integers([1, -2]),
                .texts(["a\"b\\", nil, "c,d"]), .doubles([0.5, nil]),
            ])
        #expect(try row["i"] == Int64.min)
        #expect(try row["d"] == -Double.infinity)
        #expect(try row["b"] == true)
        #expect(try row["t"] == "ä\"\\{},'")
        #expect(try row["x"] == [0, 255, 7] as [UInt8])
        #expect(try row["j"] == "{\"a\": [1]}")
        #expect(try row["u"] == "01234567-89ab-cdef-0011-223344556677")
        #expect(try row["at"] == 1_700_000_000.25)
        #expect(try row["missing"] == String?.none)
        #expect(try row["ints"] == true)
        #expect(try row["texts"] == "a\"b\\|-|c,d")
        #expect(try row["doubles"] == true)
    }
}
