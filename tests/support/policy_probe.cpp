// policy_probe ROOT NAME DIGEST [guard]: asks Policy of a machine whose /etc is ROOT/etc and whose user's home is ROOT/home. Prints "ok" or the
// error. Signatures with http URLs are files of ROOT/web, named by the URL with '/' as '_'; for the tests in tests/integration/registry.
#include <algorithm>
#include <cstdio>
#include <string>

#include "registry/policy_guard.hpp"

using namespace sbx;
using namespace sbx::registry;

int main(int argc, char** argv) {
  if (argc < 4) {
    return 2;
  }
  const std::string root = argv[1];
  Environment env;
  env.uid = 1000;
  env.root = root;
  env.home = root + "/home";
  env.config_home = env.home + "/.config";
  env.temporary_dir = root + "/tmp";
  const auto fetch = [&](const std::string& url) {
    std::string name = url;
    std::replace(name.begin(), name.end(), '/', '_');
    return read_if_there(root + "/web/" + name, std::size_t{1} << 20U);
  };
  const auto answer = [&]() -> Result<void> {
    Policy policy = SBX_TRY(Policy::load(env));
    if (argc > 4) {
      const oci::Reference name = SBX_TRY(oci::Reference::parse(argv[2]));
      const PolicyGuard guard = SBX_TRY(PolicyGuard::start(std::move(policy), {name}));
      return guard.check(name, SBX_TRY(oci::Digest::parse(argv[3])), fetch);
    }
    return policy.check(SBX_TRY(oci::Reference::parse(argv[2])),
                        SBX_TRY(oci::Digest::parse(argv[3])), fetch);
  }();
  std::puts(answer ? "ok" : answer.error().message().c_str());
  return answer ? 0 : 1;
}
