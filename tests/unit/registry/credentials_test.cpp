#include "registry/credentials.hpp"

#include <sys/stat.h>

#include "base/base64.hpp"
#include "config_fixture.hpp"

using namespace sbx;
using namespace sbx::registry;

namespace {

std::string auths(const std::string& host, const std::string& user) {
  return R"({"auths": {")" + host + R"(": {"auth": ")" + encode_base64(user + ":p") + "\"}}}";
}

/// The user that is found, "-" for none, or the error.
std::string user(const AuthSources& sources, const std::string& host = "h.io",
                 const std::string& repository = "n/r") {
  const auto found = find_credentials(sources, host, repository);
  if (!found) {
    return found.error().message();
  }
  return *found ? (*found)->username : "-";
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

mode_t mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

}  // namespace

TEST_CASE("files are asked in the order podman has, the first that knows the host answers") {
  const ConfigFixture f;
  AuthSources sources{f.env, "", {}};
  CHECK(user(sources) == "-");
  f.write("~/.dockercfg", R"({"h.io": {"auth": ")" + encode_base64("dockercfg:p") + "\"}}");
  CHECK(user(sources) == "dockercfg");
  f.write("~/.docker/config.json", auths("h.io", "docker"));
  CHECK(user(sources) == "docker");
  f.write("docker-config/config.json", auths("h.io", "docker-config"));
  sources.env.docker_config = f.path("docker-config");
  CHECK(user(sources) == "docker-config");
  f.write("~/.config/containers/auth.json", auths("h.io", "config"));
  CHECK(user(sources) == "config");
  f.write("run-user/containers/auth.json", auths("other.io", "run"));
  CHECK(user(sources) == "config");
  CHECK(user(sources, "other.io") == "run");
  sources.env.auth_file = f.write("env.json", auths("h.io/n", "env"));
  CHECK(user(sources) == "env");
  CHECK(user(sources, "other.io") == "-");
  sources.auth_file = f.write("option.json", auths("h.io/n/r", "option"));
  CHECK(user(sources) == "option");
  CHECK(user(sources, "h.io", "n/other") == "-");
  sources.auth_file = f.path("absent.json");
  CHECK(has(user(sources), "absent.json': no such file"));
}

TEST_CASE("a broken file is an error, not a reason to ask the next") {
  const ConfigFixture f;
  f.write("~/.config/containers/auth.json", "{");
  f.write("~/.docker/config.json", auths("h.io", "docker"));
  CHECK(has(user({f.env, "", {}}), "auth.json': it is not a JSON object"));
}

TEST_CASE("helpers named by a file and by registries.conf") {
  const ConfigFixture f;
  f.helper("who", R"(read -r server; echo "{\"Username\": \"$1-$server\", \"Secret\": \"s\"}")");
  f.write("~/.docker/config.json",
          R"({"credHelpers": {"h.io": "who", "gone.io": "gone"}, "credsStore": "elsewhere",
          "auths": {"h.io": {"auth": "eDp5"}, "plain.io": {"auth": "eDp5"}}})");
  AuthSources sources{f.env, "", {}};
  CHECK(user(sources) == "get-h.io");
  CHECK(user(sources, "plain.io") == "x");
  CHECK(user(sources, "unknown.io") == "-");
  CHECK(has(user(sources, "gone.io"), "no such program in PATH"));
  f.helper("elsewhere",
           R"(read -r server; echo "{\"Username\": \"else-$server\", \"Secret\": \"s\"}")");
  CHECK(user(sources, "docker.io") == "else-https://index.docker.io/v1/");
  CHECK(user(sources, "plain.io") == "x");
  sources.helpers = {"who", "containers-auth.json"};
  CHECK(user(sources, "plain.io") == "get-plain.io");
  sources.helpers = {"gone", "containers-auth.json"};
  CHECK(user(sources, "plain.io") == "x");
  sources.helpers = {"gone", "who"};
  CHECK(user(sources, "plain.io") == "get-plain.io");
  sources.helpers = {"gone"};
  CHECK(has(user(sources, "plain.io"), "docker-credential-gone"));
  sources.helpers = {"containers-auth.json", "who"};
  CHECK(user(sources, "plain.io") == "x");
}

TEST_CASE("login writes where podman does, for its owner only, and keeps the rest") {
  const ConfigFixture f;
  AuthSources sources{f.env, "", {}};
  CHECK(*store_credentials(sources, "h.io", {"u", "p", ""}) ==
        f.path("run-user/containers/auth.json"));
  CHECK(mode_of(f.path("run-user/containers/auth.json")) == 0600);
  CHECK(mode_of(f.path("run-user/containers")) == 0700);
  REQUIRE(store_credentials(sources, "docker.io/user", {"ns", "p", ""}));
  CHECK(user(sources) == "u");
  CHECK(user(sources, "docker.io", "user/app") == "ns");
  CHECK(user(sources, "docker.io", "library/app") == "-");

  std::filesystem::remove_all(f.env.runtime_dir);
  CHECK(*store_credentials(sources, "h.io", {"c", "p", ""}) ==
        f.path("~/.config/containers/auth.json"));

  sources.auth_file = f.write("real.json", R"({"other": [1, 2]})");
  std::filesystem::create_symlink("real.json", f.path("link.json"));
  sources.auth_file = f.path("link.json");
  REQUIRE(store_credentials(sources, "h.io", {"l", "p", ""}));
  CHECK(std::filesystem::is_symlink(f.path("link.json")));
  CHECK(Json::parse(f.read("real.json")) ==
        Json::parse(R"({"auths": {"h.io": {"auth": "bDpw"}}, "other": [1, 2]})"));
  CHECK(mode_of(f.path("real.json")) == 0600);

  sources.auth_file = f.path("docker/config.json");
  REQUIRE(store_credentials(sources, "docker.io", {"d", "p", ""}));
  CHECK(Json::parse(f.read("docker/config.json"))["auths"].contains("https://index.docker.io/v1/"));
  CHECK(user(sources, "docker.io") == "d");
}

TEST_CASE("login refuses what is no host, and does not touch a broken file") {
  const ConfigFixture f;
  AuthSources sources{f.env, "", {}};
  for (const char* bad : {"", "https://h.io", "h.io/n/", "/h.io", "h.io/n@x", "h io"}) {
    CHECK(store_credentials(sources, bad, {"u", "p", ""}).error().code ==
          ErrorCode::kInvalidArgument);
  }
  sources.auth_file = f.write("broken.json", "{\"auths\": ");
  CHECK_FALSE(store_credentials(sources, "h.io", {"u", "p", ""}));
  CHECK(f.read("broken.json") == "{\"auths\": ");
}

TEST_CASE("logout forgets in one place and says what is left in others") {
  const ConfigFixture f;
  const AuthSources sources{f.env, "", {}};
  CHECK_FALSE(erase_credentials(sources, "h.io")->found);
  REQUIRE(store_credentials(sources, "h.io", {"u", "p", ""}));
  f.write("~/.docker/config.json", auths("h.io", "docker"));
  const auto erased = erase_credentials(sources, "h.io");
  REQUIRE(erased);
  CHECK(erased->found);
  CHECK(erased->left == std::vector<std::string>{f.path("~/.docker/config.json")});
  CHECK(user(sources) == "docker");
}

TEST_CASE("with a helper, login and logout go there and the file has a mark only") {
  const ConfigFixture f;
  f.helper("keep", R"(here=$(dirname "$0"); case $1 in store) cat > "$here/kept" ;;
erase) cat > "$here/erased"; rm "$here/kept" ;; get) cat "$here/kept" ;; esac)");
  AuthSources sources{f.env, f.write("c/config.json", R"({"credsStore": "keep"})"), {}};
  CHECK(*store_credentials(sources, "docker.io", {"u", "p", ""}) == "credential helper keep");
  CHECK(Json::parse(f.read("c/config.json")) ==
        Json::parse(R"({"auths": {"https://index.docker.io/v1/": {}}, "credsStore": "keep"})"));
  CHECK(Json::parse(f.read("bin/kept"))["ServerURL"] == "https://index.docker.io/v1/");
  CHECK(user(sources, "docker.io") == "u");
  CHECK(store_credentials(sources, "h.io/n", {"u", "p", ""}).error().code ==
        ErrorCode::kUnsupported);
  CHECK(erase_credentials(sources, "docker.io")->found);
  CHECK(f.read("bin/erased") == "https://index.docker.io/v1/");
  CHECK(Json::parse(f.read("c/config.json"))["auths"].empty());
}

TEST_CASE("logins are listed, the first file's first") {
  const ConfigFixture f;
  const AuthSources sources{f.env, "", {}};
  REQUIRE(store_credentials(sources, "h.io", {"first", "p", ""}));
  f.write("~/.docker/config.json", auths("h.io", "second"));
  f.write("~/.dockercfg", R"({"https://index.docker.io/v1/": {"auth": "eDp5"}})");
  const auto logins = list_logins(sources);
  REQUIRE(logins);
  REQUIRE(logins->size() == 2);
  CHECK((*logins)[0].key == "h.io");
  CHECK((*logins)[0].username == "first");
  CHECK((*logins)[1].key == "docker.io");
  CHECK((*logins)[1].source == f.path("~/.dockercfg"));
}
