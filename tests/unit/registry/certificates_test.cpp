#include "registry/certificates.hpp"

#include "config_fixture.hpp"

using namespace sbx;
using namespace sbx::registry;

TEST_CASE("the first folder of a host is used, whole and alone") {
  const ConfigFixture f;
  CHECK(find_tls_files(f.env, "h.io:5000")->ca_files.empty());
  f.write("/etc/docker/certs.d/h.io:5000/docker.crt", "");
  CHECK(find_tls_files(f.env, "h.io:5000")->ca_files ==
        std::vector<std::string>{f.path("/etc/docker/certs.d/h.io:5000/docker.crt")});
  f.write("/etc/containers/certs.d/h.io:5000/b.crt", "");
  f.write("/etc/containers/certs.d/h.io:5000/a.crt", "");
  f.write("/etc/containers/certs.d/h.io:5000/notes.txt", "");
  CHECK(find_tls_files(f.env, "h.io:5000")->ca_files ==
        std::vector<std::string>{f.path("/etc/containers/certs.d/h.io:5000/a.crt"),
                                 f.path("/etc/containers/certs.d/h.io:5000/b.crt")});
  const std::string mine = "~/.config/containers/certs.d/h.io:5000/";
  f.write(mine + "me.cert", "");
  f.write(mine + "me.key", "");
  const auto files = find_tls_files(f.env, "h.io:5000");
  REQUIRE(files);
  CHECK(files->ca_files.empty());
  CHECK(files->client_certificate == f.path(mine + "me.cert"));
  CHECK(files->client_key == f.path(mine + "me.key"));
  CHECK(find_tls_files(f.env, "h.io")->client_key.empty());
}

TEST_CASE("docker.io's folder has that name, and no host leads out of certs.d") {
  const ConfigFixture f;
  f.write("/etc/containers/certs.d/docker.io/hub.crt", "");
  CHECK(find_tls_files(f.env, "registry-1.docker.io")->ca_files.size() == 1);
  for (const char* bad : {"", "..", ".", "../etc", "a/b"}) {
    CHECK(find_tls_files(f.env, bad).error().code == ErrorCode::kInvalidArgument);
  }
}

TEST_CASE("half a pair, or two pairs, are refused") {
  const ConfigFixture f;
  const std::string folder = f.path("/etc/containers/certs.d/h.io");
  f.write("/etc/containers/certs.d/h.io/a.cert", "");
  CHECK(find_tls_files(f.env, "h.io").error().reason.find("has no a.key") != std::string::npos);
  f.write("/etc/containers/certs.d/h.io/a.key", "");
  CHECK(read_certificate_folder(folder));
  f.write("/etc/containers/certs.d/h.io/b.key", "");
  CHECK(read_certificate_folder(folder).error().code == ErrorCode::kInvalidArgument);
  f.write("/etc/containers/certs.d/h.io/b.cert", "");
  CHECK(read_certificate_folder(folder).error().code == ErrorCode::kUnsupported);
}
