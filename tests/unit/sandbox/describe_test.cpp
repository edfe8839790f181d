#include "sandbox/describe.hpp"

#include <catch2/catch.hpp>

using sbx::sandbox::describe;
using sbx::sandbox::MountStep;
using sbx::sandbox::Network;
using sbx::sandbox::Plan;

TEST_CASE("a plan tells its mounts, maps and command") {
  Plan plan;
  plan.network = Network::kNone;
  plan.identities.maps.uids = {{0, 1000, 1}};
  plan.command.argv = {"true"};
  MountStep step;
  step.kind = MountStep::Kind::kInstance;
  step.target = "/dev";
  step.fs_type = "tmpfs";
  step.options = {{"mode", "755"}, {"flag", ""}};
  step.attributes.no_suid = true;
  plan.mounts = {step};
  const auto json = describe(plan);
  CHECK(json["network"] == "none");
  CHECK(json["uidMap"][0]["outside"] == 1000);
  CHECK(json["mounts"][0]["do"] == "mount");
  CHECK(json["mounts"][0]["options"] == nlohmann::json({"mode=755", "flag", "nosuid"}));
  CHECK(json["argv"] == nlohmann::json({"true"}));
}
