#pragma once

#include <string>
#include <vector>

#include <sbx/outcome.hpp>

namespace sbx::cli {

/// Prints "sbx: MESSAGE" on standard error; the exit code.
int complain(const Failure& failure);

/// complain() of words that make no sense, with docker's exit code for it.
int refuse(const std::string& message);

/// Prints columns under headings, aligned, on standard output.
void print_table(const std::vector<std::vector<std::string>>& rows);

/// "12.3MB", as docker: decimal units, three digits.
std::string human_size(unsigned long long bytes);

/// "3 days ago" of an RFC 3339 time; empty if it is none.
std::string human_age(const std::string& created);

}  // namespace sbx::cli
