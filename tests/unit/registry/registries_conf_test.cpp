#include "registry/registries_conf.hpp"

#include "config_fixture.hpp"

using namespace sbx;
using namespace sbx::registry;

namespace {

const std::string kDigest =
    "@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr const char* kMain = "/etc/containers/registries.conf";

/// What a name may mean, with commas between; or the error.
std::string resolved(const ConfigFixture& f, const std::string& name) {
  const auto conf = RegistriesConf::load(f.env);
  if (!conf) {
    return conf.error().message();
  }
  const auto names = conf->resolve(name);
  if (!names) {
    return names.error().message();
  }
  std::string out;
  for (const oci::Reference& reference : *names) {
    out += (out.empty() ? "" : ",") + reference.str();
  }
  return out;
}

/// Where a name is fetched from: "host/repository", with '!' if insecure, '~' if a mirror; or the error.
std::string places(const ConfigFixture& f, const std::string& name, bool for_push = false) {
  const auto conf = RegistriesConf::load(f.env);
  if (!conf) {
    return conf.error().message();
  }
  const auto endpoints = conf->endpoints(oci::Reference::parse(name).value(), for_push);
  if (!endpoints) {
    return endpoints.error().message();
  }
  std::string out;
  for (const Endpoint& e : *endpoints) {
    out += (out.empty() ? "" : ",") + std::string(e.mirror ? "~" : "") + (e.insecure ? "!" : "") +
           e.host + "/" + e.repository;
  }
  return out;
}

std::string refused(const std::string& text) {
  const auto file = RegistriesFile::parse(text, "/etc/r.conf");
  return file ? std::string("accepted") : file.error().message();
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("without any file a short name is docker.io's, and a full one itself") {
  const ConfigFixture f;
  CHECK(resolved(f, "busybox") == "docker.io/library/busybox:latest");
  CHECK(resolved(f, "user/app:1") == "docker.io/user/app:1");
  CHECK(resolved(f, "quay.io/a/b" + kDigest) == "quay.io/a/b" + kDigest);
  CHECK(resolved(f, "localhost/x") == "localhost/x:latest");
  CHECK(resolved(f, "localhost:5000/x") == "localhost:5000/x:latest");
  CHECK(has(resolved(f, "Bad Name"), "cannot read image name"));
  CHECK(places(f, "busybox") == "registry-1.docker.io/library/busybox");
  CHECK(places(f, "localhost:5000/a/b", true) == "localhost:5000/a/b");
  CHECK(RegistriesConf::load(f.env)->sources().empty());
  CHECK(RegistriesConf::load(f.env)->credential_helpers() ==
        std::vector<std::string>{"containers-auth.json"});
}

TEST_CASE("short names are tried at each search registry, in order") {
  const ConfigFixture f;
  f.write(kMain, "unqualified-search-registries = ['quay.io', 'localhost:5000/', 'docker.io']");
  CHECK(resolved(f, "a:1") == "quay.io/a:1,localhost:5000/a:1,docker.io/library/a:1");
  CHECK(resolved(f, "u/a" + kDigest) ==
        "quay.io/u/a" + kDigest + ",localhost:5000/u/a" + kDigest + ",docker.io/u/a" + kDigest);
  CHECK(resolved(f, "quay.io/a") == "quay.io/a:latest");

  f.write("/etc/containers/registries.conf.d/10.conf", "short-name-mode = 'enforcing'");
  CHECK(has(resolved(f, "a"), "it could be quay.io/a:latest or localhost:5000/a:latest or docker"));
  f.write("/etc/containers/registries.conf.d/20.conf", "short-name-mode = 'disabled'");
  CHECK(has(resolved(f, "a"), "quay.io/a:latest,localhost:5000/a:latest"));

  f.write("/etc/containers/registries.conf.d/30.conf", "unqualified-search-registries = []");
  const std::string nowhere = resolved(f, "a");
  CHECK(has(nowhere, "30.conf sets unqualified-search-registries to an empty list"));
  CHECK(has(nowhere, kMain));
}

TEST_CASE("an alias comes before the search, keeps tag and digest, and can be taken away") {
  const ConfigFixture f;
  f.write(kMain, "unqualified-search-registries = ['example.com']");
  f.write("/etc/containers/registries.conf.d/000-shortnames.conf",
          "[aliases]\nalpine = 'docker.io/library/alpine'\n'u/app' = 'quay.io/x/app'\n"
          "\"rhel7.9\" = \"registry.access.redhat.com/rhel7.9\"\n");
  CHECK(resolved(f, "alpine") == "docker.io/library/alpine:latest");
  CHECK(resolved(f, "alpine:3" + kDigest) == "docker.io/library/alpine:3" + kDigest);
  CHECK(resolved(f, "u/app:2") == "quay.io/x/app:2");
  CHECK(resolved(f, "rhel7.9") == "registry.access.redhat.com/rhel7.9:latest");
  CHECK(resolved(f, "other") == "example.com/other:latest");
  CHECK(resolved(f, "quay.io/alpine") == "quay.io/alpine:latest");

  f.write("~/.config/containers/registries.conf.d/50.conf", "[aliases]\nalpine = ''\n");
  CHECK(resolved(f, "alpine") == "example.com/alpine:latest");
  f.write(
      "~/.cache/containers/short-name-aliases.conf",
      "unqualified-search-registries = ['ignored.example']\n[aliases]\nalpine = 'q.io/alpine'\n");
  CHECK(resolved(f, "alpine") == "q.io/alpine:latest");
  CHECK(resolved(f, "other") == "example.com/other:latest");
}

TEST_CASE("mirrors come first, then the location, rewritten by the longest prefix") {
  const ConfigFixture f;
  f.write(kMain, R"(
[[registry]]
prefix = "example.com/foo"
location = "internal.example.com/bar"
[[registry.mirror]]
location = "mirror-0.local/mirror-for-foo"
[[registry.mirror]]
location = "mirror-1.local:5000/m/foo/"
insecure = true
[[registry]]
location = "example.com"
insecure = true
[[registry]]
prefix = "*.example.com"
[[registry]]
prefix = "docker.io"
location = "mirror.gcr.io"
)");
  CHECK(places(f, "example.com/foo/image:latest") ==
        "~mirror-0.local/mirror-for-foo/image,~!mirror-1.local:5000/m/foo/image,"
        "internal.example.com/bar/image");
  CHECK(has(places(f, "example.com/foo:1"), "internal.example.com/bar"));
  CHECK(places(f, "example.com/foobar") == "!example.com/foobar");
  CHECK(places(f, "example.com:5000/foo") == "example.com:5000/foo");
  CHECK(places(f, "sub.example.com/foo") == "sub.example.com/foo");
  CHECK(places(f, "busybox") == "mirror.gcr.io/library/busybox");
  CHECK(places(f, "example.com/foo/image", true) == "example.com/foo/image");
  CHECK(places(f, "example.com/other", true) == "!example.com/other");
}

TEST_CASE("a wildcard matches hosts below, and only these") {
  const ConfigFixture f;
  f.write(kMain, R"(
[[registry]]
prefix = "*.example.com"
location = "all.example.net/x"
[[registry]]
prefix = "*.blocked.example.com"
blocked = true
)");
  CHECK(places(f, "a.example.com/n/i") == "all.example.net/x/n/i");
  CHECK(places(f, "a.b.example.com/i") == "all.example.net/x/i");
  CHECK(places(f, "example.com/i") == "example.com/i");
  CHECK(places(f, "evil-example.com/i") == "evil-example.com/i");
  CHECK(places(f, "a.example.com.evil.org/i") == "a.example.com.evil.org/i");
  CHECK(places(f, "evil.org/a.example.com/i") == "evil.org/a.example.com/i");
  CHECK(has(places(f, "a.blocked.example.com/i"), "'*.blocked.example.com' is blocked in "));
  CHECK(has(places(f, "a.blocked.example.com:444/i", true), "is blocked in "));
}

TEST_CASE("mirrors for digests only and for tags only") {
  const ConfigFixture f;
  f.write(kMain, R"(
[[registry]]
location = "a.io"
mirror-by-digest-only = true
[[registry.mirror]]
location = "m.io"
[[registry]]
location = "b.io"
[[registry.mirror]]
location = "digest.io"
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "tag.io"
pull-from-mirror = "tag-only"
[[registry.mirror]]
location = "all.io"
pull-from-mirror = "all"
)");
  CHECK(places(f, "a.io/x:1") == "a.io/x");
  CHECK(places(f, "a.io/x" + kDigest) == "~m.io/x,a.io/x");
  CHECK(places(f, "b.io/x:1") == "~tag.io/x,~all.io/x,b.io/x");
  CHECK(places(f, "b.io/x:1" + kDigest) == "~digest.io/x,~all.io/x,b.io/x");
}

TEST_CASE("a location that would fetch something else is refused when it is used") {
  const ConfigFixture f;
  f.write(kMain, R"(
[[registry]]
prefix = "a.io/x:1"
location = "b.io/y:2"
[[registry]]
prefix = "c.io"
location = "barehost"
[[registry]]
prefix = "d.io"
location = "D.io/UPPER"
)");
  CHECK(has(places(f, "a.io/x:1"), "another tag or digest"));
  CHECK(places(f, "a.io/x:2") == "a.io/x");
  CHECK(has(places(f, "c.io/x"), "the host must have a '.' or ':'"));
  CHECK(has(places(f, "d.io/x"), "lower-case"));
}

TEST_CASE("the user's file replaces the machine's, and drop-ins of all places are read by name") {
  ConfigFixture f;
  f.write("/usr/share/containers/registries.conf", "unqualified-search-registries = ['vendor.io']");
  CHECK(resolved(f, "x") == "vendor.io/x:latest");
  f.write(kMain, "unqualified-search-registries = ['admin.io']");
  CHECK(resolved(f, "x") == "admin.io/x:latest");
  f.write("~/.config/containers/registries.conf", "credential-helpers = ['pass']");
  CHECK(resolved(f, "x") == "docker.io/library/x:latest");
  CHECK(RegistriesConf::load(f.env)->credential_helpers() == std::vector<std::string>{"pass"});

  f.write("/usr/share/containers/registries.conf.d/20.conf",
          "unqualified-search-registries = ['vendor-20.io']");
  f.write("/etc/containers/registries.conf.d/10.conf",
          "unqualified-search-registries = ['admin-10.io']");
  CHECK(resolved(f, "x") == "vendor-20.io/x:latest");
  f.write("~/.config/containers/registries.conf.d/20.conf", "");
  CHECK(resolved(f, "x") == "admin-10.io/x:latest");
  f.write("/etc/containers/registries.rootless.conf.d/1000/15.conf",
          "unqualified-search-registries = ['mine.io']");
  f.write("/etc/containers/registries.rootful.conf.d/99.conf",
          "unqualified-search-registries = ['root.io']");
  CHECK(resolved(f, "x") == "mine.io/x:latest");

  f.env.registries_conf = f.write("elsewhere.conf", "unqualified-search-registries = ['env.io']");
  CHECK(resolved(f, "x") == "env.io/x:latest");
  CHECK(RegistriesConf::load(f.env)->sources() == std::vector<std::string>{f.env.registries_conf});
  f.env.registries_conf_override = f.write("o.conf", "unqualified-search-registries = ['o.io']");
  CHECK(resolved(f, "x") == "o.io/x:latest");
  f.env.registries_conf = "/nowhere/registries.conf";
  CHECK(has(resolved(f, "x"), "CONTAINERS_REGISTRIES_CONF"));
}

TEST_CASE("rules of later files replace those with the same prefix") {
  const ConfigFixture f;
  f.write(kMain,
          "[[registry]]\nlocation = 'a.io'\ninsecure = true\n"
          "[[registry]]\nlocation = 'b.io'\ninsecure = true\n");
  f.write("/etc/containers/registries.conf.d/1.conf", "[[registry]]\nlocation = 'a.io'\n");
  CHECK(places(f, "a.io/x") == "a.io/x");
  CHECK(places(f, "b.io/x") == "!b.io/x");
}

TEST_CASE("what is wrong in a file is said, with the file") {
  CHECK(has(refused("a = "), "cannot read '/etc/r.conf': line 1"));
  CHECK(has(refused("[registries.search]\nregistries = ['a.io']"), "version 1"));
  CHECK(has(refused("[[registry]]\nblocked = true"), "neither prefix nor location"));
  CHECK(has(refused("[[registry]]\nprefix = 'a.io'"), "has no location"));
  CHECK(has(refused("[[registry]]\nlocation = 'https://a.io'"), "without http://"));
  CHECK(has(refused("[[registry]]\nlocation = 'a.io'\nblocked = 'yes'"), "'blocked'"));
  CHECK(has(refused("[[registry]]\nprefix='a.*.io'\nlocation = 'a.io'"), "'*' may stand"));
  CHECK(has(refused("[[registry]]\nprefix='*.a.io/x'\n"), "'*' may stand"));
  CHECK(has(refused("[[registry]]\nprefix='*.a.io:80'\n"), "'*' may stand"));
  CHECK(has(refused("[[registry]]\nlocation='a.io'\npull-from-mirror='all'"), "registry.mirror"));
  CHECK(has(refused("[[registry]]\nlocation='a.io'\n[[registry.mirror]]\ninsecure=true"),
            "has no location"));
  CHECK(has(refused("[[registry]]\nlocation='a.io'\n[[registry.mirror]]\nlocation='b.io'\n"
                    "pull-from-mirror='some'"),
            "all, digest-only or tag-only"));
  CHECK(has(refused("[[registry]]\nlocation='a.io'\nmirror-by-digest-only=true\n"
                    "[[registry.mirror]]\nlocation='b.io'\npull-from-mirror='all'"),
            "only one may"));
  CHECK(has(refused("[[registry]]\nlocation='a.io'\n[[registry]]\nprefix='b.io'\nlocation='a.io'\n"
                    "insecure=true"),
            "differ in 'insecure'"));
  CHECK(has(refused("registry = 'a'"), "'registry'"));
  CHECK(has(refused("registry = ['a']"), "list of tables"));
  CHECK(has(refused("unqualified-search-registries = 'a.io'"), "an array"));
  CHECK(has(refused("unqualified-search-registries = ['a.io/x']"), "not HOST[:PORT]"));
  CHECK(has(refused("unqualified-search-registries = ['']"), "not HOST[:PORT]"));
  CHECK(has(refused("short-name-mode = 'sometimes'"), "enforcing, permissive or disabled"));
  CHECK(has(refused("[aliases]\na.b = 'c.io/d'"), "needs quotes"));
  CHECK(has(refused("[aliases]\n'c.io/a' = 'c.io/d'"), "a short name"));
  CHECK(has(refused("[aliases]\n'a:1' = 'c.io/d'"), "a short name"));
  CHECK(has(refused("[aliases]\na = 'd'"), "HOST/NAME"));
  CHECK(has(refused("[aliases]\na = 'c.io/d:1'"), "HOST/NAME"));
  CHECK(refused("unknown = 1\n[[registry]]\nlocation = 'a.io'\nsome = 'thing'") == "accepted");
}
