def write_plots(benchmarks, folder):
    return []
