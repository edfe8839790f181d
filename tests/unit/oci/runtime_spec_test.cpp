#include "oci/runtime_spec.hpp"

#include <catch2/catch.hpp>

using sbx::oci::RuntimeSpec;
using sbx::oci::to_json;

TEST_CASE("a runtime configuration has the members of the OCI specification") {
  RuntimeSpec spec;
  spec.hostname = "box";
  spec.read_only_root = true;
  spec.process.args = {"true"};
  spec.process.user.additional_gids = std::vector<gid_t>{5};
  spec.process.capabilities = {"CAP_CHOWN"};
  spec.mounts = {{"/proc", "proc", "proc", {"nosuid"}}};
  spec.uid_mappings = {{0, 1000, 1}};
  spec.namespaces = {"user", "pid"};
  spec.annotations = {{"org.opencontainers.image.stopSignal", "SIGINT"}};
  const auto json = to_json(spec);
  CHECK(json["ociVersion"] == "1.2.0");
  CHECK(json["root"]["readonly"] == true);
  CHECK(json["process"]["user"]["additionalGids"] == nlohmann::json({5}));
  CHECK(json["process"]["capabilities"]["bounding"] == nlohmann::json({"CAP_CHOWN"}));
  CHECK(json["mounts"][0]["destination"] == "/proc");
  CHECK(json["linux"]["uidMappings"][0]["hostID"] == 1000);
  CHECK(json["linux"]["namespaces"][1]["type"] == "pid");
  CHECK(json["annotations"]["org.opencontainers.image.stopSignal"] == "SIGINT");
}

TEST_CASE("groups that are kept are not listed") {
  CHECK_FALSE(to_json(RuntimeSpec{})["process"]["user"].contains("additionalGids"));
}
