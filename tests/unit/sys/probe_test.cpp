#include "sys/probe.hpp"

#include <catch2/catch.hpp>
#include <set>

#include "sys/file.hpp"

using namespace sbx::sys;

// What the facts say depends on the machine; that they are said properly does not.
TEST_CASE("every fact is well formed") {
  std::string root = "/tmp/sbx-probe-test-XXXXXX";
  REQUIRE(::mkdtemp(root.data()) != nullptr);
  const std::vector<Fact> facts = probe_host({invoker(), root + "/sbx"});
  CHECK(list_dir(AT_FDCWD, root).value().empty());  // nothing is left behind
  CHECK(remove_tree_at(AT_FDCWD, root));

  std::set<std::string> ids;
  for (const Fact& fact : facts) {
    CAPTURE(fact.id, fact.found);
    CHECK(ids.insert(fact.id).second);
    CHECK_FALSE(fact.title.empty());
    CHECK_FALSE(fact.found.empty());
    CHECK((fact.found + fact.consequence + fact.remedy).find('\n') == std::string::npos);
    CHECK(fact.consequence.empty() == (fact.status == FactStatus::kOk));
  }
  for (const char* id :
       {"kernel", "userns", "subids", "idmap", "fuse", "overlay", "store", "net"}) {
    CHECK(ids.count(id) == 1);
  }
}

TEST_CASE("root needs no subordinate ids") {
  Invoker root;
  root.name = "root";
  CHECK(probe_subordinate_ids(root).status == FactStatus::kOk);
  CHECK(probe_idmap_tools(root).status == FactStatus::kOk);
}

TEST_CASE("a user without subordinate ids gets a command with ids that nobody has") {
  Invoker who;
  who.uid = 4242;
  who.name = "sbx-nobody-of-this-name";
  const Fact fact = probe_subordinate_ids(who);
  CHECK(fact.status == FactStatus::kDegraded);
  CHECK(fact.remedy.find("usermod --add-subuids ") != std::string::npos);
  CHECK(fact.remedy.ends_with(who.name));
}

TEST_CASE("a store in a place that is not writable") {
  const Fact fact = probe_store("/proc/sbx");
  CHECK(fact.status == FactStatus::kMissing);
  CHECK(fact.essential);
  CHECK(fact.found == "/proc is not writable");
}

TEST_CASE("ping follows the groups") {
  Invoker who;
  who.uid = 4242;
  who.gid = 4242;
  const Fact fact = probe_ping(who);
  CHECK((fact.status == FactStatus::kOk ||
         fact.remedy.find("ping_group_range") != std::string::npos));
}
