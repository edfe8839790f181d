#include "needs.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>

#include "sys/probe.hpp"

namespace sbx::test {
namespace {

constexpr int kSkipped = 77;  // as Meson and Automake take it

sys::Fact try_need(Need need) {
  switch (need) {
    case Need::kUserNamespaces:
      return sys::probe_user_namespaces();
    case Need::kFuse:
      return sys::probe_fuse();
    case Need::kNet:
      return sys::probe_tun();
    case Need::kSubordinateIds: {
      const sys::Invoker who = sys::invoker();
      const sys::Fact ids = sys::probe_subordinate_ids(who);
      return ids.status == sys::FactStatus::kOk ? sys::probe_idmap_tools(who) : ids;
    }
  }
  std::abort();
}

const char* word_for(Need need) {
  switch (need) {
    case Need::kUserNamespaces:
      return "userns";
    case Need::kFuse:
      return "fuse";
    case Need::kNet:
      return "net";
    case Need::kSubordinateIds:
      return "subids";
  }
  std::abort();
}

bool must_run(const std::string& word) {
  const std::string list = "," + sys::environment("SBX_TESTS_MUST_RUN") + ",";
  return list.find("," + word + ",") != std::string::npos;
}

}  // namespace

void require_or_skip(std::initializer_list<Need> needs) {
  for (const Need need : needs) {
    const sys::Fact fact = try_need(need);
    if (fact.status == sys::FactStatus::kOk) {
      continue;
    }
    const std::string word = word_for(need);
    const bool failure = must_run(word);
    std::printf("%s %s: %s (%s)\n", failure ? "FAIL" : "SKIP", word.c_str(), fact.found.c_str(),
                fact.remedy.c_str());
    std::exit(failure ? 1 : kSkipped);
  }
}

}  // namespace sbx::test
