"""placeholder"""
def draw(name, results, out):
    """placeholder"""
    return []
