#include "registry/credential_helper.hpp"

#include "base/json.hpp"
#include "config_fixture.hpp"

using namespace sbx;
using namespace sbx::registry;

namespace {

/// A helper that keeps what it is given in a file, and says how it was called.
constexpr const char* kKeeper = R"(
here=$(dirname "$0")
echo "$# $1" >> "$here/calls"
case $1 in
store) cat > "$here/stored" ;;
get) server=$(cat)
  if [ -e "$here/stored" ] && [ "$server" = h.io ]; then cat "$here/stored"
  else echo "credentials not found in native keychain"; exit 1; fi ;;
erase) cat > /dev/null; [ -e "$here/stored" ] || { echo "credentials not found in native keychain"; exit 1; }
  rm "$here/stored" ;;
list) echo '{"h.io": "u"}' ;;
esac
)";

std::string complaint_of(const ConfigFixture& f, const std::string& script) {
  f.helper("x", script);
  const auto answer = CredentialHelper::find("x", f.env.path)->get("h.io");
  return answer ? std::string("answered") : answer.error().message();
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("credentials go to a helper and come back; none of them is an argument") {
  const ConfigFixture f;
  f.helper("keeper", kKeeper);
  const CredentialHelper helper = CredentialHelper::find("keeper", f.env.path).value();
  CHECK_FALSE(*helper.get("h.io"));
  REQUIRE(helper.store("h.io", {"user", "pass\"word", ""}));
  CHECK(Json::parse(f.read("bin/stored")) ==
        Json::parse(R"({"ServerURL": "h.io", "Username": "user", "Secret": "pass\"word"})"));
  const auto found = helper.get("h.io").value();
  REQUIRE(found);
  CHECK(found->username == "user");
  CHECK(found->password == "pass\"word");
  CHECK_FALSE(*helper.get("other.io"));
  CHECK(helper.list()->at("h.io") == "u");
  CHECK(*helper.erase("h.io"));
  CHECK_FALSE(*helper.erase("h.io"));
  CHECK(f.read("bin/calls") == "1 get\n1 store\n1 get\n1 get\n1 list\n1 erase\n1 erase\n");
}

TEST_CASE("a helper's <token> is an identity token") {
  const ConfigFixture f;
  f.helper("keeper", kKeeper);
  const CredentialHelper helper = CredentialHelper::find("keeper", f.env.path).value();
  REQUIRE(helper.store("h.io", {"", "", "refresh"}));
  const auto found = helper.get("h.io").value();
  REQUIRE(found);
  CHECK(found->identity_token == "refresh");
  CHECK(found->username.empty());
  CHECK(found->password.empty());
}

TEST_CASE("a helper's name cannot lead elsewhere, and a missing one is said") {
  const ConfigFixture f;
  for (const char* bad : {"", "../x", "a/b", "a b", "a;b", "$(id)", ".hidden"}) {
    CHECK(CredentialHelper::find(bad, f.env.path).error().code == ErrorCode::kInvalidArgument);
  }
  CHECK(CredentialHelper::find("absent", f.env.path).error().code == ErrorCode::kNotFound);
}

TEST_CASE("a helper that fails is told with its words, but never with a secret") {
  const ConfigFixture f;
  CHECK(
      has(complaint_of(f, "echo the keyring is locked; exit 3"), "code 3: the keyring is locked"));
  CHECK_FALSE(has(complaint_of(f, "echo '{\"Secret\": \"hunter2\"}'; exit 1"), "hunter2"));
  CHECK_FALSE(has(complaint_of(f, "echo '{\"Secret\": hunter2}'"), "hunter2"));
  CHECK(has(complaint_of(f, "echo '{\"Username\": \"u\"}'"), "not JSON with Username and Secret"));
  CHECK(has(complaint_of(f, "echo '[]'"), "not JSON"));
  CHECK(has(complaint_of(f, "echo '{\"Secret\": 1}'"), "not JSON"));
  CHECK(has(complaint_of(f, "exec cat /dev/zero"), "more than 65536 bytes"));
}
