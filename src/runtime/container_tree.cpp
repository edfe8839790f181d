#include "runtime/container_tree.hpp"

#include <ctime>
#include <vector>

#include "runtime/identity.hpp"
#include "sys/file.hpp"
#include "sys/user_namespace.hpp"
#include "sys/xdg.hpp"

namespace sbx::runtime {
Result<sys::Fd> namespace_of_all_ids() {
  const IdFacts facts = SBX_TRY(find_id_facts(sys::invoker(), UserNamespaceMode::kAuto));
  const IdChoice ids = SBX_TRY(plan_identities(facts, UserNamespaceMode::kAuto));
  const sandbox::Identities& all = ids.identities;
  return sys::make_user_namespace(all.maps, all.writer, all.deny_setgroups);
}

void free_name(int names, const std::string& id, const std::string& name) {
  const Result<std::string> owner = sys::read_link_at(names, name);
  if (owner && *owner == id) {
    (void)sys::unlink_at(names, name);
  }
}

void free_names_of(int names, const std::string& id) {
  const Result<std::vector<std::string>> all = sys::list_dir(names, ".");
  for (const std::string& name : all ? *all : std::vector<std::string>{}) {
    free_name(names, id, name);
  }
}

Result<void> remove_foreign_tree(int dir, const std::string& name, int user_namespace) {
  Result<void> removed = sys::remove_tree_at(dir, name);
  const int why = removed ? 0 : removed.error().sys_errno;
  if (why != EACCES && why != EPERM) {
    return removed;
  }
  sys::Fd made;
  if (user_namespace == -1) {
    made = SBX_TRY(namespace_of_all_ids());
    user_namespace = made.get();
  }
  return sys::run_in_user_namespace(user_namespace, [&] { return sys::remove_tree_at(dir, name); });
}

namespace {

bool holds_what_is_open(const Result<void>& removed) {
  const int why = removed ? 0 : removed.error().sys_errno;
  return why == ENOTEMPTY || why == EEXIST || why == EBUSY;
}

}  // namespace

Result<void> remove_container_tree(int containers, const std::string& id,
                                   std::optional<sys::FileLock>& lock, int user_namespace) {
  Result<void> removed = remove_foreign_tree(containers, id, user_namespace);
  // The name goes some time after the last descriptor. Whoever sweeps meanwhile finds neither state nor lock, and waits.
  constexpr int kTries = 50;
  constexpr timespec kPause{0, 10'000'000};
  for (int i = 0; i < kTries && holds_what_is_open(removed); ++i) {
    lock.reset();
    removed = remove_foreign_tree(containers, id, user_namespace);
    if (holds_what_is_open(removed)) {
      (void)::nanosleep(&kPause, nullptr);
    }
  }
  return removed;
}

}  // namespace sbx::runtime
