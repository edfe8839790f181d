#include "cli/app.hpp"

int main(int argc, char** argv) {
  return sbx::cli::main_program(sbx::cli::Words(argv + 1, argv + argc));
}
