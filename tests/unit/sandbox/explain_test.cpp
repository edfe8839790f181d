#include <catch2/catch.hpp>
#include <cerrno>

#include "sandbox/stage.hpp"

using sbx::ErrorCode;
using sbx::sandbox::explain_step;
using sbx::sandbox::MountStep;
using sbx::sandbox::Plan;
using sbx::sandbox::StageReport;
using sbx::sandbox::Step;

namespace {

Plan plan_with(MountStep step) {
  Plan plan;
  plan.command.argv = {"cmd"};
  plan.mounts = {std::move(step)};
  return plan;
}

StageReport report(Step step, int error) {
  StageReport made;
  made.step = step;
  made.error = error;
  return made;
}

}  // namespace

TEST_CASE("what cannot be executed tells 126 from 127") {
  const Plan plan = plan_with({});
  CHECK(explain_step(plan, report(Step::kExec, ENOENT)).code == ErrorCode::kCommandNotFound);
  CHECK(explain_step(plan, report(Step::kExec, EACCES)).code == ErrorCode::kCommandNotRunnable);
  CHECK(explain_step(plan, report(Step::kExec, ENOEXEC)).code == ErrorCode::kCommandNotRunnable);
}

TEST_CASE("a failed mount names its target, its source and what to do") {
  MountStep proc;
  proc.kind = MountStep::Kind::kInstance;
  proc.fs_type = "proc";
  proc.target = "/proc";
  const auto error = explain_step(plan_with(proc), report(Step::kMount, EPERM));
  CHECK(error.message().find("'/proc'") != std::string::npos);
  CHECK(error.hint.find("unmask=ALL") != std::string::npos);
  MountStep link{};
  link.target = std::string("/dev");
  link.source = std::string("/somewhere");
  CHECK(explain_step(plan_with(link), report(Step::kMountTarget, ELOOP))
            .message()
            .find("symbolic link") != std::string::npos);
}

TEST_CASE("every step has words, and an index out of range is no harm") {
  const Plan plan = plan_with({});
  for (auto step = static_cast<unsigned>(Step::kNone); step <= static_cast<unsigned>(Step::kExec);
       ++step) {
    StageReport made = report(static_cast<Step>(step), EIO);
    made.index = 77;
    CHECK_FALSE(explain_step(plan, made).op.empty());
  }
}
