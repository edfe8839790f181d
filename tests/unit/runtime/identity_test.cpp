#include "runtime/identity.hpp"

#include <catch2/catch.hpp>

using sbx::ErrorCode;
using sbx::UserNamespaceMode;
using sbx::runtime::IdFacts;
using sbx::runtime::plan_identities;
using sbx::sys::IdExtent;
using sbx::sys::MapWriter;

namespace {

using Extents = std::vector<IdExtent>;

IdFacts ordinary() {
  IdFacts facts;
  facts.uid = 1000;
  facts.gid = 1001;
  facts.has_tools = true;
  facts.subordinate = {{{100000, 65536}}, {{200000, 65536}}};
  return facts;
}

IdFacts root() {
  IdFacts facts;
  facts.privileged = true;
  facts.own_uids = facts.own_gids = {{0, UINT32_MAX}};
  return facts;
}

}  // namespace

TEST_CASE("with subordinate ids, root is the invoker and the rest follows") {
  const auto choice = plan_identities(ordinary(), UserNamespaceMode::kAuto).value();
  CHECK_FALSE(choice.single);
  CHECK(choice.identities.writer == MapWriter::kTools);
  CHECK(choice.identities.maps.uids == Extents{{0, 1000, 1}, {1, 100000, 65536}});
  CHECK(choice.identities.maps.gids == Extents{{0, 1001, 1}, {1, 200000, 65536}});
}

TEST_CASE("without them there is one id, or a clear error if all were wanted") {
  IdFacts facts = ordinary();
  facts.subordinate.gids.clear();
  const auto choice = plan_identities(facts, UserNamespaceMode::kAuto).value();
  CHECK(choice.single);
  CHECK(choice.identities.deny_setgroups);
  CHECK(choice.identities.maps.uids == Extents{{0, 1000, 1}});
  const auto failed = plan_identities(facts, UserNamespaceMode::kFull);
  CHECK(failed.error().code == ErrorCode::kUnsupported);
  CHECK(failed.error().message().find("/etc/subgid") != std::string::npos);
  facts = ordinary();
  facts.has_tools = false;
  CHECK(plan_identities(facts, UserNamespaceMode::kFull).error().message().find("newuidmap") !=
        std::string::npos);
}

TEST_CASE("keep-id splits the subordinate ids around the own one") {
  const auto choice = plan_identities(ordinary(), UserNamespaceMode::kKeepId).value();
  CHECK(choice.identities.maps.uids ==
        Extents{{0, 100000, 1000}, {1000, 1000, 1}, {1001, 101000, 64536}});
  CHECK(choice.identities.become_root);
  IdFacts facts = ordinary();
  facts.subordinate = {};
  const auto alone = plan_identities(facts, UserNamespaceMode::kKeepId).value();
  CHECK(alone.identities.maps.uids == Extents{{1000, 1000, 1}});
  CHECK_FALSE(alone.identities.become_root);
}

TEST_CASE("keep-id gives the invoker the numbers that are asked for") {
  const auto both = plan_identities(ordinary(), UserNamespaceMode::kKeepId, {33, 0}).value();
  CHECK(both.identities.maps.uids == Extents{{0, 100000, 33}, {33, 1000, 1}, {34, 100033, 65503}});
  CHECK(both.identities.maps.gids == Extents{{0, 1001, 1}, {1, 200000, 65536}});
  const auto one = plan_identities(ordinary(), UserNamespaceMode::kKeepId, {0, {}}).value();
  CHECK(one.identities.maps.uids == Extents{{0, 1000, 1}, {1, 100000, 65536}});
  CHECK(one.identities.maps.gids.at(1) == IdExtent{1001, 1001, 1});
  const auto beyond = plan_identities(ordinary(), UserNamespaceMode::kKeepId, {70000, 1}).value();
  CHECK(beyond.identities.maps.uids == Extents{{0, 100000, 65536}, {70000, 1000, 1}});
  IdFacts facts = ordinary();
  facts.subordinate = {};
  const auto alone = plan_identities(facts, UserNamespaceMode::kKeepId, {33, 44}).value();
  CHECK(alone.identities.maps.uids == Extents{{33, 1000, 1}});
  CHECK(alone.identities.maps.gids == Extents{{44, 1001, 1}});
}

TEST_CASE("keep-id with fewer subordinate ids than the own number leaves a gap") {
  IdFacts facts = ordinary();
  facts.subordinate.uids = {{100000, 10}, {300000, 5}};
  const auto choice = plan_identities(facts, UserNamespaceMode::kKeepId).value();
  CHECK(choice.identities.maps.uids == Extents{{0, 100000, 10}, {10, 300000, 5}, {1000, 1000, 1}});
}

TEST_CASE("root of the machine is mapped to ids that are nobody's") {
  const auto choice = plan_identities(root(), UserNamespaceMode::kAuto).value();
  CHECK(choice.identities.writer == MapWriter::kOurselves);
  CHECK(choice.identities.maps.uids == Extents{{0, 0x6FFF0000, 65536}});
  CHECK_FALSE(choice.identities.deny_setgroups);
  IdFacts granted = root();
  granted.subordinate = {{{100000, 65536}}, {{100000, 65536}}};
  CHECK(plan_identities(granted, UserNamespaceMode::kAuto).value().identities.maps.uids ==
        Extents{{0, 100000, 65536}});
  CHECK(plan_identities(root(), UserNamespaceMode::kKeepId).error().code ==
        ErrorCode::kUnsupported);
  CHECK(plan_identities(root(), UserNamespaceMode::kSingle).value().identities.maps.uids ==
        Extents{{0, 0x6FFF0000, 1}});
}

TEST_CASE("root of a sandbox takes what ids there are besides 0") {
  IdFacts nested = root();
  nested.own_uids = nested.own_gids = {{0, 1}, {1, 65536}};
  CHECK(plan_identities(nested, UserNamespaceMode::kAuto).value().identities.maps.uids ==
        Extents{{0, 1, 65536}});
  nested.own_uids = nested.own_gids = {{0, 1}};
  const auto alone = plan_identities(nested, UserNamespaceMode::kAuto).value();
  CHECK(alone.single);
  CHECK(alone.identities.maps.uids == Extents{{0, 0, 1}});
  CHECK_FALSE(alone.identities.deny_setgroups);
  nested.setgroups_denied = true;
  CHECK(plan_identities(nested, UserNamespaceMode::kAuto).value().identities.deny_setgroups);
}
